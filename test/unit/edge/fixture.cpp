#include "test/unit/edge/fixture.h"

#include <sys/times.h>
#include <unistd.h>

#include <thread>

using namespace snapfreeze;
using namespace snapfreeze::edge;

HttpResponse echo(const HttpRequest& request) {
  return {200,
          request.method + " " + request.path + "?" + request.query + " " + std::to_string(request.body.size()),
          {{"Content-Type", "text/plain"}}};
}

Authority::Authority(const std::string& name) : ca(certs::make_ca(name, std::chrono::system_clock::now()).value()) {}

std::shared_ptr<const certs::KeyPair> Authority::issue(const std::string& name) const {
  const auto pem = certs::issue_serving(ca, {{name}, {}}, std::chrono::system_clock::now()).value();
  return certs::KeyPair::parse(pem.certificate, pem.key).value();
}

TlsServer::TlsServer(ServerOptions options, Handler handler)
    : client(authority.ca.certificate), server(std::move(options), &holder, std::move(handler)) {
  holder.set(authority.issue());
  port = server.start().value();
}

PlainServer::PlainServer(ServerOptions options, Handler handler)
    : server(std::move(options), nullptr, std::move(handler)) {
  port = server.start().value();
}

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(Millis(10));
  }
  return condition();
}

snapfreeze::Millis cpu_time() {
  tms used{};
  times(&used);
  return snapfreeze::Millis((used.tms_utime + used.tms_stime) * 1000 / sysconf(_SC_CLK_TCK));
}
