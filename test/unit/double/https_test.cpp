// The double over real TLS, in real time.
#include <atomic>
#include <thread>

#include "test/double/cluster.h"
#include "test/double/face/http1.h"
#include "test/double/face/https_face.h"
#include "test/double/face/https_webhook.h"
#include "test/double/face/sandbox_certs.h"
#include "test/double/face/sandbox_control.h"
#include "test/double/runtime/runtime_threads.h"
#include "test/support/catch.h"

using namespace cluster;
using namespace std::chrono_literals;

namespace {

Mono soon(Millis after = Millis(5000)) {
  return std::chrono::steady_clock::now() + after;
}

struct Client {
  Client(const std::string& ca, int port) : context(client_context(ca)) {
    std::string error;
    stream = TlsStream::connect(context, "127.0.0.1", port, "127.0.0.1", soon(), error);
    if (stream == nullptr) throw std::runtime_error(error);
  }

  void send(const std::string& method, const std::string& target, const std::string& text = "",
            const std::string& token = "secret") {
    REQUIRE(stream->write(method + " " + target + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token +
                              "\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text,
                          soon()));
  }
  // The status and, in `body`, the body; 0 when the connection was closed.
  int receive() {
    if (!reader.head(head)) return 0;
    reader.body(head, false, body);
    return std::stoi(head.start_line.substr(9));
  }
  int call(const std::string& method, const std::string& target, const std::string& text = "") {
    send(method, target, text);
    return receive();
  }

  SslContext context;
  std::unique_ptr<TlsStream> stream;
  Http1Reader reader{[this](char* into, std::size_t size) { return stream->read(into, size, soon()); }};
  HttpHead head;
  std::string body;
};

struct Served {
  CertifiedKey authority = make_authority("test");
  CertifiedKey certificate = make_certificate(authority, {"127.0.0.1", "localhost"});
  ThreadRuntime runtime;
  Cluster cluster{runtime};
  SandboxControl control{cluster};
  HttpsFace face{runtime,
                 server_context(certificate.certificate, certificate.key),
                 0,
                 {{"secret", "admin"}, {"other", "tenant"}},
                 [this](const HttpRequest& request) {
                   const bool own = request.path.rfind("/sandbox/", 0) == 0;
                   return own ? control.handle(request) : cluster.api().handle(request);
                 }};
};

// A webhook's side: answers each request with what `answer` makes of it.
struct HookServer {
  explicit HookServer(const std::vector<std::string>& hosts, std::function<Reply(const HttpRequest&)> answer)
      : certificate(make_certificate(authority, hosts)),
        face(runtime, server_context(certificate.certificate, certificate.key), 0, {}, std::move(answer)) {}

  WebhookReply post(const std::string& ca, const std::string& server_name, Millis timeout = Millis(5000)) {
    return webhook.post({"/mutate?timeout=5s", server_name, ca, "{}", soon(timeout)});
  }

  CertifiedKey authority = make_authority("hooks");
  CertifiedKey certificate;
  ThreadRuntime runtime;
  HttpsFace face;
  HttpsWebhook webhook{"127.0.0.1", face.port()};
};

Reply plain(const std::string& text) {
  Reply reply;
  reply.body = text;
  return reply;
}

}  // namespace

TEST_CASE("one connection carries many requests") {
  Served served;
  Client client(served.authority.certificate, served.face.port());
  CHECK(client.call("POST", "/sandbox/vms", R"({"disks":2})") == 200);
  CHECK(client.call("GET", "/apis/kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1") == 200);
  CHECK(Json::parse(client.body)["status"]["phase"] == "Running");
  CHECK(client.head.headers.at("date").size() == 29);
  CHECK(client.call("GET", "/apis/kubevirt.io/v1/namespaces/vms/virtualmachineinstances/none") == 404);
}

TEST_CASE("an unknown token is refused, and the sandbox's own endpoints are the admin's") {
  Served served;
  Client client(served.authority.certificate, served.face.port());
  client.send("GET", "/version", "", "wrong");
  CHECK(client.receive() == 401);
  client.send("GET", "/sandbox/guests", "", "other");
  CHECK(client.receive() == 403);
  CHECK(client.call("GET", "/sandbox/none") == 404);
  CHECK(client.call("POST", "/sandbox/vms", R"({"diskz":2})") == 400);
  CHECK(client.body.find("diskz") != std::string::npos);
}

TEST_CASE("a certificate of another authority is not accepted") {
  Served served;
  CHECK_THROWS_WITH(Client(make_authority("test").certificate, served.face.port()),
                    "tls: certificate signature failure");
}

TEST_CASE("a watch streams lines as they happen, and the server stops under it at once") {
  auto served = std::make_unique<Served>();
  Client client(served->authority.certificate, served->face.port());
  client.send("GET", "/api/v1/namespaces?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Dlate");
  REQUIRE(client.reader.head(client.head));
  CHECK(client.head.headers.at("transfer-encoding") == "chunked");
  const Mono before = std::chrono::steady_clock::now();
  served->cluster.add_namespace("late");
  std::string line;
  while (line.find("}}\n") == std::string::npos && line.find("\"late\"") == std::string::npos) {
    char byte = 0;
    REQUIRE(client.stream->read(&byte, 1, soon()) == 1);
    line += byte;
  }
  CHECK(std::chrono::steady_clock::now() - before < 5s);
  served.reset();
  CHECK(std::chrono::steady_clock::now() - before < 10s);
}

TEST_CASE("a dropped call closes the connection") {
  Served served;
  Fault drop;
  served.cluster.add_fault(drop);
  Client client(served.authority.certificate, served.face.port());
  CHECK(client.call("GET", "/version") == 0);
}

TEST_CASE("Harvester makes a backup in real time") {
  Served served;
  VmOptions vm;
  vm.freeze_latency = vm.thaw_latency = Millis(1);
  served.cluster.add_vm(vm);
  DiskOptions disk;
  disk.status_low = disk.status_high = Millis(100);
  served.cluster.storage().set_default(disk);
  served.cluster.start_backup("vms", "b1", "vm1", "60s");
  const auto ready = [&] {
    return served.cluster.get("harvesterhci.io/virtualmachinebackups", "vms", "b1")
        .value("/status/readyToUse"_json_pointer, false);
  };
  const Mono deadline = soon(Millis(10'000));
  while (!ready() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(5ms);
  CHECK(ready());
  CHECK(served.cluster.locked([&] { return served.cluster.truth().consistency("vms", "b1", 1).filesystem; }));
}

TEST_CASE("a webhook is called as kube-apiserver calls it, on a connection that is kept") {
  std::vector<HttpRequest> requests;
  HookServer hooks({"snapfreeze.snapfreeze.svc"}, [&](const HttpRequest& request) {
    requests.push_back(request);
    return plain(request.body);
  });
  for (int i = 0; i < 3; ++i) {
    const WebhookReply reply = hooks.post(hooks.authority.certificate, "snapfreeze.snapfreeze.svc");
    CHECK(reply.status == 200);
    CHECK(reply.body == "{}");
  }
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].method == "POST");
  CHECK(requests[0].param("timeout") == "5s");
  CHECK(requests[0].headers.at("content-length") == "2");
}

TEST_CASE("a webhook whose certificate is for another name, or of another CA, is not called") {
  std::atomic<int> calls{0};
  HookServer hooks({"other.snapfreeze.svc"}, [&](const HttpRequest&) {
    ++calls;
    return plain("");
  });
  CHECK(hooks.post(hooks.authority.certificate, "snapfreeze.snapfreeze.svc").error.find("tls:") == 0);
  CHECK(hooks.post(make_authority("x").certificate, "other.snapfreeze.svc").error.find("tls:") == 0);
  CHECK_FALSE(hooks.post("no PEM", "other.snapfreeze.svc").error.empty());
  CHECK(calls == 0);
  CHECK(hooks.post(hooks.authority.certificate, "other.snapfreeze.svc").status == 200);
}

TEST_CASE("a webhook that is slow, closes, or is not there gives no reply and says why") {
  std::atomic<bool> slow{true};
  HookServer hooks({"hook"}, [&](const HttpRequest&) {
    if (slow) std::this_thread::sleep_for(300ms);
    Reply reply;
    reply.dropped = true;
    return reply;
  });
  CHECK(hooks.post(hooks.authority.certificate, "hook", Millis(100)).error == "context deadline exceeded");
  slow = false;
  CHECK(hooks.post(hooks.authority.certificate, "hook").error == "EOF");
  hooks.face.stop();
  CHECK(hooks.post(hooks.authority.certificate, "hook").error == "Connection refused");
}

TEST_CASE("Retry-After of a webhook is understood") {
  HookServer hooks({"hook"}, [](const HttpRequest&) {
    Reply reply;
    reply.status = 429;
    reply.headers["Retry-After"] = "3";
    return reply;
  });
  const WebhookReply reply = hooks.post(hooks.authority.certificate, "hook");
  CHECK(reply.status == 429);
  CHECK(reply.retry_after == 3);
}
