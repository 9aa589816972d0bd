// What a request may look like: each refused on a live server, with its reason, and never taken for two requests.
#include <random>
#include <vector>

#include "test/support/catch.h"
#include "test/unit/edge/fixture.h"

using namespace snapfreeze;
using namespace snapfreeze::edge;

namespace {

constexpr Limits kLimits{512, 1000};

ServerOptions small() {
  ServerOptions options;
  options.limits = kLimits;
  return options;
}

HttpResponse describe(const HttpRequest& request) {
  return {200, request.method + "|" + request.path + "|" + request.query + "|" + request.body, {}};
}

struct LimitedServer : PlainServer {
  LimitedServer() : PlainServer(small(), describe) {}

  // "200 POST|/mutate||{}", or "400 why".
  std::string answer(std::string_view bytes) {
    Peer peer(port);
    return text_of(peer.ask(bytes));
  }
  // The connection must end after it.
  std::string refusal(std::string_view bytes) {
    Peer peer(port);
    const Reply reply = peer.ask(bytes);
    CHECK(reply.has("Connection: close"));
    CHECK(peer.closed_within(Millis(5000)));
    return text_of(reply);
  }

  static std::string text_of(const Reply& reply) {
    return std::to_string(reply.status) + " " + reply.body.substr(0, reply.body.find('\n'));
  }
};

std::string with_headers(const std::string& request_line, const std::string& headers) {
  return request_line + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}

const std::string kJson = "Content-Type: application/json\r\n";

}  // namespace

TEST_CASE_METHOD(LimitedServer, "A request is taken apart") {
  CHECK(answer(post("{}")) == "200 POST|/mutate|timeout=10s|{}");
  CHECK(answer(get("/healthz")) == "200 GET|/healthz||");
  CHECK(answer(get("/a%20b?c=%41&d")) == "200 GET|/a%20b|c=%41&d|");
  CHECK(answer(with_headers("POST /", "content-type:APPLICATION/JSON ; charset=utf-8\r\ncontent-length: 0\r\n")) ==
        "200 POST|/||");
}

TEST_CASE_METHOD(LimitedServer, "A body without a bound is refused before it is read") {
  CHECK(refusal(with_headers("POST /", kJson)) == "411 a POST needs a Content-Length");
  const std::string chunked = "411 a body needs a Content-Length; Transfer-Encoding (chunked) is not accepted";
  CHECK(refusal(with_headers("POST /", kJson + "Transfer-Encoding: chunked\r\n")) == chunked);
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n")) == chunked);
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 2\r\ntransfer-encoding:\r\n")) == chunked);
  CHECK(refusal(with_headers("GET /", "Transfer-Encoding: identity\r\n")) == chunked);
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 9\r\nContent-Encoding: gzip\r\n")) ==
        "415 a body must not be compressed (Content-Encoding)");
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 1001\r\n")) ==
        "413 the body is larger than 1000 bytes");
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 99999999999999999999999\r\n")) ==
        "413 the body is larger than 1000 bytes");
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 2\r\nExpect: 100-continue\r\n")) ==
        "417 the header Expect is not supported: send the body at once");
}

TEST_CASE_METHOD(LimitedServer, "A body that is not JSON by its own word is refused") {
  CHECK(refusal(with_headers("POST /", "Content-Length: 2\r\n")) ==
        "415 a body must be of Content-Type application/json");
  CHECK(refusal(with_headers("POST /", "Content-Length: 2\r\nContent-Type: application/jsonx\r\n")) ==
        "415 a body must be of Content-Type application/json");
}

TEST_CASE_METHOD(LimitedServer, "Ambiguous lengths are refused") {
  for (const char* length : {"-1", "+1", "1 1", "0x10", "1,1", "", "1a", "%31", "\x01"}) {
    INFO(length);
    const std::string expected =
        *length == '\x01' ? "400 a header's value has a control character" : "400 Content-Length is not a number";
    CHECK(refusal(with_headers("POST /", kJson + "Content-Length: " + length + "\r\n")) == expected);
  }
  const std::string twice = "400 the header content-length is given twice";
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 1\r\nContent-Length: 1\r\n")) == twice);
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 1\r\ncontent-length: 2\r\n")) == twice);
  CHECK(refusal(with_headers("GET /", "Content-Length: 1\r\n")) == "400 a GET has no body here");
}

TEST_CASE_METHOD(LimitedServer, "What is not HTTP/1.1 is refused with what would be right") {
  const std::string line = "400 the request line is not \"METHOD /path HTTP/1.1\"";
  const std::string target = "400 the request's target is not a path that starts with \"/\"";
  CHECK(refusal("\r\n") == line);
  CHECK(refusal("GET\r\n\r\n") == line);
  CHECK(refusal("GET /\r\n\r\n") == line);
  CHECK(refusal("G@T / HTTP/1.1\r\n\r\n") == line);
  CHECK(refusal("GET / HTTP/1.0\r\n\r\n") == "505 only HTTP/1.1 is spoken here");
  CHECK(refusal("PRI * HTTP/2.0\r\n\r\n") == "505 only HTTP/1.1 is spoken here");
  CHECK(refusal("PUT / HTTP/1.1\r\n\r\n") == "405 only GET and POST are served");
  CHECK(refusal("HEAD / HTTP/1.1\r\n\r\n") == "405 only GET and POST are served");
  CHECK(refusal("GET http://a/ HTTP/1.1\r\n\r\n") == target);
  CHECK(refusal("GET /a b HTTP/1.1\r\n\r\n") == target);
  CHECK(refusal("GET  /a HTTP/1.1\r\n\r\n") == target);
  CHECK(refusal(with_headers("GET /a#b", "")) == target);
  CHECK(refusal(with_headers("GET /a?b?c", "")) == target);
  CHECK(refusal("GET / HTTP/1.1\r\n\r\n") == "400 the header Host is missing");
  const std::string crlf = "400 a line of the request's head does not end in CRLF";
  CHECK(refusal("GET / HTTP/1.1\nHost: a\n\n") == crlf);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\n\r\n") == crlf);
  CHECK(refusal(with_headers("GET /", "Host: b\r\n")) == "400 the header host is given twice");
  CHECK(refusal(with_headers("GET /", "Folded: a\r\n b\r\n")) == "400 a header is not \"Name: value\"");
  CHECK(refusal(with_headers("POST /", kJson + "X: a\r\n Content-Length: 2\r\n")) ==
        "400 a header is not \"Name: value\"");
  CHECK(refusal(with_headers("GET /", "Content-Length : 0\r\n")) == "400 a header is not \"Name: value\"");
  CHECK(refusal(with_headers("GET /", "Name\r\n")) == "400 a header is not \"Name: value\"");
  CHECK(refusal(with_headers("GET /", "Name: a\rb\r\n")) == "400 a header's value has a control character");
  CHECK(refusal(with_headers("GET /", std::string("Name: a\0b\r\n", 11))) ==
        "400 a header's value has a control character");
  CHECK(refusal(with_headers("GET /", "Range: bytes=0-1\r\n")) ==
        "416 the header Range is not supported: a reply is sent whole");
}

TEST_CASE_METHOD(LimitedServer, "A head that is too large is refused as soon as that is known") {
  Peer peer(port);
  REQUIRE(peer.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(kLimits.head - 28, 'x')));
  CHECK_FALSE(peer.closed_within(Millis(200)));

  CHECK(peer.ask("x").status == 431);
}

TEST_CASE("A line of the head up to 8 KiB is taken, and a longer one is refused with its reason") {
  PlainServer server;
  const auto with_line = [](std::size_t size) {
    return with_headers("GET /", "X: " + std::string(size - 3, 'x') + "\r\n");
  };
  CHECK(Peer(server.port).ask(with_line(8190)).status == 200);
  CHECK(Peer(server.port).ask(with_line(8191)).body == "a line of the head is larger than 8192 bytes\n");
  CHECK(Peer(server.port).ask(get("/" + std::string(8000, 'x'))).status == 200);
  CHECK(Peer(server.port).ask(get("/" + std::string(8192, 'x'))).status == 431);
}

TEST_CASE_METHOD(LimitedServer, "A body up to its cap is taken whole") {
  const std::string body(kLimits.body, 'x');

  CHECK(answer(post(body)) == "200 POST|/mutate|timeout=10s|" + body);
}

TEST_CASE_METHOD(LimitedServer, "Requests that follow each other in one piece are all taken") {
  Peer peer(port);

  REQUIRE(peer.send(post("one") + get("/two") + post("three") + "GET"));

  CHECK(peer.receive().body == "POST|/mutate|timeout=10s|one");
  CHECK(peer.receive().body == "GET|/two||");
  CHECK(peer.receive().body == "POST|/mutate|timeout=10s|three");
  CHECK(peer.ask(get("/four").substr(3)).body == "GET|/four||");
}

TEST_CASE_METHOD(LimitedServer, "What follows a refused request is not taken for another") {
  const std::string smuggled = get("/smuggled");
  for (const std::string& request :
       {with_headers("POST /", kJson + "Content-Length: " + std::to_string(smuggled.size()) +
                                   "\r\nTransfer-Encoding: chunked\r\n"),
        with_headers("POST /", kJson + "Content-Length: 0\r\nContent-Length: 5\r\n"), with_headers("PUT /", ""),
        with_headers("GET /", "Content-Length: 3\r\n"), std::string("GET / HTTP/1.1\n\n"),
        with_headers("POST /", kJson + "Content-Length: 1\r\nContent-Encoding: br\r\n")}) {
    INFO(request);
    Peer fresh(port);
    Peer used(port);
    REQUIRE(used.ask(get("/")).status == 200);
    for (Peer* peer : {&fresh, &used}) {
      REQUIRE(peer->send(request + smuggled));
      CHECK(peer->receive().status >= 400);
      CHECK(peer->receive().status == 0);
    }
  }
}

TEST_CASE_METHOD(LimitedServer, "A client that will close is let go after its reply, and only that one") {
  Peer closing(port);
  REQUIRE(closing.send(with_headers("GET /", "Connection: x, Close\r\n") + get("/never")));
  CHECK(closing.receive().has("Connection: close"));
  CHECK(closing.receive().status == 0);
  Peer staying(port);
  const Reply stays = staying.ask(with_headers("GET /", "Connection: closed, keep-alive,\r\n"));
  CHECK_FALSE(stays.has("Connection"));
  CHECK_FALSE(stays.has("Keep-Alive"));
  CHECK(staying.ask(get("/")).status == 200);
  Peer twice(port);
  CHECK(twice.ask(with_headers("GET /", "Connection: keep-alive\r\nConnection: close\r\n")).has("Connection: close"));
}

TEST_CASE_METHOD(LimitedServer, "A reply is neither compressed nor cut into ranges, and has a length") {
  const Reply reply = Peer(port).ask(with_headers("GET /", "Accept-Encoding: gzip, br\r\nTE: trailers\r\n"));
  CHECK(reply.body == "GET|/||");
  CHECK(reply.has("Content-Length: 7\r\n"));
  CHECK_FALSE(reply.has("Content-Encoding"));
}

TEST_CASE_METHOD(LimitedServer, "A request that ends before it is whole gets no answer") {
  for (const std::string& part : {get("/").substr(0, 10), post("{}").substr(0, post("{}").size() - 1)}) {
    INFO(part);
    Peer peer(port);
    REQUIRE(peer.send(part));
    peer.send_nothing_more();
    CHECK(peer.receive().status == 0);
  }
}

TEST_CASE_METHOD(LimitedServer, "The outcome does not depend on how the bytes are cut") {
  std::mt19937 random(1);
  const std::vector<std::string> seeds = {
      post(R"({"kind":"AdmissionReview"})"), get("/healthz?verbose"), with_headers("POST /", kJson),
      with_headers("GET /", "X: " + std::string(600, 'x') + "\r\n"), post(std::string(1001, 'x'))};
  const auto in_pieces = [&](std::string_view bytes, std::size_t most) {
    Peer peer(port);
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, 1 + random() % most);
      bytes.remove_prefix(piece.size());
      if (!peer.send(piece)) break;
    }
    peer.send_nothing_more();  // what is not complete ends without an answer
    return text_of(peer.receive());
  };
  for (int round = 0; round < 500; ++round) {
    std::string bytes = seeds[random() % seeds.size()];
    for (unsigned mutations = random() % 4; mutations > 0; --mutations) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, random() % 8);
          break;
        default:
          bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 40));
      }
      if (bytes.empty()) bytes = "x";
    }
    INFO(bytes);
    const std::string whole = in_pieces(bytes, bytes.size() + 1);
    CHECK(in_pieces(bytes, 1) == whole);
    CHECK(in_pieces(bytes, 64) == whole);
  }
}
