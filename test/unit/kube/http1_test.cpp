#include "kube/http1.h"

#include "test/support/catch.h"

namespace snapfreeze::kube {
namespace {

// Fed byte by byte and in one piece: where the pieces begin must not matter.
void check_body(const std::string& reply, const std::string& body) {
  for (const std::size_t piece : {reply.size(), std::size_t{1}, std::size_t{7}}) {
    CAPTURE(reply, piece);
    ReplyParser parser;
    for (std::size_t i = 0; i < reply.size(); i += piece) REQUIRE(parser.feed(reply.substr(i, piece)).ok());
    CHECK(parser.complete());
    CHECK(parser.body() == body);
  }
}

bool refused(const std::string& reply) {
  return !ReplyParser().feed(reply).ok();
}

TEST_CASE("A reply ends where its length or its last chunk says") {
  check_body("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello");
  check_body("HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", "");
  check_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
             "hello world");
  check_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: a\r\n\r\n", "");
  check_body("HTTP/1.1 204 No Content\r\n\r\n", "");
}

TEST_CASE("Interim replies are skipped") {
  check_body("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok");
}

TEST_CASE("Status and date are read, and headers in any case") {
  ReplyParser parser;
  REQUIRE(
      parser.feed("HTTP/1.1 404 Not Found\r\nDATE: Mon, 23 Nov 2026 13:17:00 GMT\r\nContent-Length: 9\r\n\r\n").ok());
  CHECK(parser.has_head());
  CHECK_FALSE(parser.complete());
  CHECK(parser.status() == 404);
  CHECK(parser.date() == Wall(std::chrono::seconds(1'795'439'820)));
}

TEST_CASE("A body without a length lasts until the connection closes") {
  ReplyParser parser;
  REQUIRE(parser.feed("HTTP/1.0 200 OK\r\n\r\nhel").ok());
  REQUIRE(parser.feed("lo").ok());
  CHECK_FALSE(parser.complete());
  REQUIRE(parser.closed().ok());
  CHECK(parser.complete());
  CHECK(parser.body() == "hello");
  CHECK_FALSE(parser.reusable());
}

TEST_CASE("A reply that is cut is an error") {
  for (const char* reply : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    CAPTURE(reply);
    ReplyParser parser;
    REQUIRE(parser.feed(reply).ok());
    CHECK_FALSE(parser.closed().ok());
  }
}

TEST_CASE("A connection serves another request only after a reply that allows it") {
  const auto reusable = [](const std::string& reply) {
    ReplyParser parser;
    REQUIRE(parser.feed(reply).ok());
    return parser.reusable();
  };
  CHECK(reusable("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(reusable("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n"));
  CHECK_FALSE(reusable("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(reusable("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n"));
  CHECK_FALSE(reusable("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"));
}

TEST_CASE("What is not HTTP/1 is refused") {
  CHECK(refused("SSH-2.0-OpenSSH_9\r\n"));
  CHECK(refused("HTTP/2 200 OK fine\r\n"));
  CHECK(refused("HTTP/1.1 abc OK\r\n"));
  CHECK(refused("HTTP/1.1 200 OK\r\nno colon\r\n"));
  CHECK(refused("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n"));
  CHECK(refused("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n"));
  CHECK(refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n"));
  CHECK(refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"));
  CHECK(refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n"));
  CHECK(refused("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x')));
}

TEST_CASE("An HTTP date is of one form only") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == Wall(std::chrono::seconds(784'111'777)));
  for (const char* text :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Xyz 1994 08:49:37 GMT", "Sun, 06 Nov 9999 08:49:37 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text).has_value());
  }
}

}  // namespace
}  // namespace snapfreeze::kube
