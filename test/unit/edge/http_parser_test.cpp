#include "edge/http_parser.h"

#include <random>

#include "test/support/catch.h"
#include "test/unit/edge/peer.h"

using namespace snapfreeze::edge;

namespace {

using State = HttpParser::State;

constexpr ParserLimits kLimits{512, 1000};

struct Outcome {
  State state;
  std::string text;  // of the request, or of the refusal

  bool operator==(const Outcome&) const = default;
};

std::string describe(const HttpRequest& request) {
  return request.method + "|" + request.path + "|" + request.query + "|" + request.body;
}

// Fed in pieces of the sizes that `next_size` gives.
template <class NextSize>
Outcome parse_in_pieces(std::string_view bytes, NextSize next_size) {
  HttpParser parser(kLimits);
  State state = State::kNeedMore;
  while (!bytes.empty() && state == State::kNeedMore) {
    const std::string_view piece = bytes.substr(0, next_size());
    bytes.remove_prefix(piece.size());
    state = parser.feed(piece);
  }
  if (state == State::kComplete) return {state, describe(parser.take())};
  if (state == State::kRefused) return {state, std::to_string(parser.refusal().status) + " " + parser.refusal().body};
  return {state, ""};
}

Outcome parse(std::string_view bytes) {
  return parse_in_pieces(bytes, [&] { return bytes.size(); });
}

std::string refusal(std::string_view bytes) {
  const Outcome outcome = parse(bytes);
  CHECK(outcome.state == State::kRefused);
  return outcome.text.substr(0, outcome.text.find('\n'));
}

std::string with_headers(const std::string& request_line, const std::string& headers) {
  return request_line + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}

const std::string kJson = "Content-Type: application/json\r\n";

}  // namespace

TEST_CASE("A request is taken apart") {
  CHECK(parse(post("{}")) == Outcome{State::kComplete, "POST|/mutate|timeout=10s|{}"});
  CHECK(parse(get("/healthz")) == Outcome{State::kComplete, "GET|/healthz||"});
  CHECK(parse(with_headers("POST /", "content-type:APPLICATION/JSON ; charset=utf-8\r\ncontent-length: 0\r\n")) ==
        Outcome{State::kComplete, "POST|/||"});
}

TEST_CASE("A body without a bound is refused before it is read") {
  CHECK(refusal(with_headers("POST /", kJson)) == "411 a POST needs a Content-Length");
  CHECK(refusal(with_headers("POST /", kJson + "Transfer-Encoding: chunked\r\n")) ==
        "411 a body needs a Content-Length; Transfer-Encoding (chunked) is not accepted");
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n")) ==
        "411 a body needs a Content-Length; Transfer-Encoding (chunked) is not accepted");
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 9\r\nContent-Encoding: gzip\r\n")) ==
        "415 a body must not be compressed (Content-Encoding)");
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 1001\r\n")) ==
        "413 the body is larger than 1000 bytes");
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 99999999999999999999999\r\n")) ==
        "413 the body is larger than 1000 bytes");
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 2\r\nExpect: 100-continue\r\n")) ==
        "417 the header Expect is not supported: send the body at once");
}

TEST_CASE("A body that is not JSON by its own word is refused") {
  CHECK(refusal(with_headers("POST /", "Content-Length: 2\r\n")) ==
        "415 a body must be of Content-Type application/json");
  CHECK(refusal(with_headers("POST /", "Content-Length: 2\r\nContent-Type: application/jsonx\r\n")) ==
        "415 a body must be of Content-Type application/json");
}

TEST_CASE("Ambiguous lengths are refused") {
  for (const char* length : {"-1", "+1", "1 1", "0x10", "1,1", "", "1a"}) {
    INFO(length);
    CHECK(refusal(with_headers("POST /", kJson + "Content-Length: " + length + "\r\n")) ==
          "400 Content-Length is not a number");
  }
  CHECK(refusal(with_headers("POST /", kJson + "Content-Length: 1\r\nContent-Length: 1\r\n")) ==
        "400 the header content-length is given twice");
  CHECK(refusal(with_headers("GET /", "Content-Length: 1\r\n")) == "400 a GET has no body here");
}

TEST_CASE("What is not HTTP/1.1 is refused with what would be right") {
  const std::string line = "400 the request line is not \"METHOD /path HTTP/1.1\"";
  CHECK(refusal("\r\n") == line);
  CHECK(refusal("GET\r\n\r\n") == line);
  CHECK(refusal("GET /\r\n\r\n") == line);
  CHECK(refusal("G@T / HTTP/1.1\r\n\r\n") == line);
  CHECK(refusal("GET / HTTP/1.0\r\n\r\n") == "505 only HTTP/1.1 is spoken here");
  CHECK(refusal("PRI * HTTP/2.0\r\n\r\n") == "505 only HTTP/1.1 is spoken here");
  CHECK(refusal("PUT / HTTP/1.1\r\n\r\n") == "405 only GET and POST are served");
  CHECK(refusal("GET http://a/ HTTP/1.1\r\n\r\n") == "400 the request's target is not a path that starts with \"/\"");
  CHECK(refusal("GET /a b HTTP/1.1\r\n\r\n") == "400 the request's target is not a path that starts with \"/\"");
  CHECK(refusal("GET / HTTP/1.1\r\n\r\n") == "400 the header Host is missing");
  CHECK(refusal("GET / HTTP/1.1\nHost: a\n\n") == "400 a line of the request's head does not end in CRLF");
  CHECK(refusal(with_headers("GET /", "Host: b\r\n")) == "400 the header host is given twice");
  CHECK(refusal(with_headers("GET /", "Folded: a\r\n b\r\n")) == "400 a header is not \"Name: value\"");
  CHECK(refusal(with_headers("GET /", "Content-Length : 0\r\n")) == "400 a header is not \"Name: value\"");
  CHECK(refusal(with_headers("GET /", "Name\r\n")) == "400 a header is not \"Name: value\"");
  CHECK(refusal(with_headers("GET /", "Name: a\rb\r\n")) == "400 a header's value has a control character");
}

TEST_CASE("A head that is too large is refused as soon as that is known") {
  HttpParser parser(kLimits);

  CHECK(parser.feed("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(kLimits.head - 28, 'x')) == State::kNeedMore);
  CHECK(parser.feed("x") == State::kRefused);
  CHECK(parser.refusal().status == 431);
}

TEST_CASE("A body up to its cap is taken whole") {
  const std::string body(kLimits.body, 'x');

  CHECK(parse(post(body)).text == "POST|/mutate|timeout=10s|" + body);
}

TEST_CASE("Requests that follow each other in one piece are all taken") {
  HttpParser parser(kLimits);
  std::string taken;

  State state = parser.feed(post("one") + get("/two") + post("three") + "GET");
  for (; state == State::kComplete; state = parser.feed("")) taken.append(describe(parser.take())).append("\n");

  CHECK(state == State::kNeedMore);
  CHECK_FALSE(parser.empty());
  CHECK(taken == "POST|/mutate|timeout=10s|one\nGET|/two||\nPOST|/mutate|timeout=10s|three\n");
}

TEST_CASE("A client that will close says so") {
  HttpParser parser(kLimits);

  REQUIRE(parser.feed(with_headers("GET /", "Connection: x, Close\r\n") + get("/")) == State::kComplete);
  CHECK_FALSE(parser.keep_alive());
  (void)parser.take();
  REQUIRE(parser.feed("") == State::kComplete);
  CHECK(parser.keep_alive());
}

TEST_CASE("The outcome does not depend on how the bytes are cut") {
  std::mt19937 random(1);
  const std::vector<std::string> seeds = {
      post(R"({"kind":"AdmissionReview"})"), get("/healthz?verbose"), with_headers("POST /", kJson),
      with_headers("GET /", "X: " + std::string(600, 'x') + "\r\n"), post(std::string(1001, 'x'))};
  for (int round = 0; round < 20'000; ++round) {
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
    const Outcome whole = parse(bytes);
    const Outcome bytewise = parse_in_pieces(bytes, [] { return 1; });
    const Outcome random_pieces = parse_in_pieces(bytes, [&] { return 1 + random() % 64; });
    if (!(whole == bytewise) || !(whole == random_pieces)) FAIL(whole.text << " / " << bytewise.text);
  }
}
