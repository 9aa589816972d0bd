#include "edge/server.h"

#include <utility>

#include "edge/loop.h"

namespace snapfreeze::edge {

Server::Server(ServerOptions options, const certs::CertSource* certificates, Handler handler)
    : loop_(std::make_unique<Loop>(std::move(options), certificates, std::move(handler))) {}

Server::~Server() {
  stop(Millis(0));
}

Result<std::uint16_t> Server::start() {
  return loop_->start();
}

void Server::wind_down() {
  loop_->wind_down();
}

bool Server::stop(Millis drain) {
  return loop_->stop(drain);
}

}  // namespace snapfreeze::edge
