#include "edge/server.h"

#include <utility>

#include "edge/engine.h"

namespace snapfreeze::edge {

Server::Server(ServerOptions options, const certs::CertSource* certificates, Handler handler)
    : engine_(std::make_unique<Engine>(std::move(options), certificates, std::move(handler))) {}

Server::~Server() {
  stop(Millis(0));
}

Result<std::uint16_t> Server::start() {
  return engine_->start();
}

void Server::wind_down() {
  engine_->wind_down();
}

bool Server::stop(Millis drain) {
  return engine_->stop(drain);
}

}  // namespace snapfreeze::edge
