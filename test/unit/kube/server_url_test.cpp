// Where an API server is, and whether it is reached without a proxy.
#include "kube/server_url.h"

#include "kube/proxy.h"
#include "test/support/catch.h"

namespace snapfreeze::kube {
namespace {

TEST_CASE("NO_PROXY is read as kubectl reads it") {
  for (const char* list : {"*", "example.com", ".example.com", "*.example.com", "x, API.Example.com",
                           "api.example.com:6443", ",,example.com,"}) {
    CAPTURE(list);
    CHECK(goes_direct(list, "api.example.com", 6443));
  }
  for (const char* list :
       {"", "other.com", "ample.com", "api.example.com:443", ".api.example.com", "10.0.0.0/8", "/", ":"}) {
    CAPTURE(list);
    CHECK_FALSE(goes_direct(list, "api.example.com", 6443));
  }
  for (const char* list : {"10.1.2.3", "10.0.0.0/8", "10.1.2.3/32", "10.1.2.3:443", "0.0.0.0/0"}) {
    CAPTURE(list);
    CHECK(goes_direct(list, "10.1.2.3", 443));
  }
  for (const char* list :
       {"10.1.2.4", "10.1.2.3:80", "11.0.0.0/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "fd00::/8", "2.3"}) {
    CAPTURE(list);
    CHECK_FALSE(goes_direct(list, "10.1.2.3", 443));
  }
  CHECK(goes_direct("fd00::/8", "fd12::1", 443));
  CHECK(goes_direct("[fd12::1]:443", "fd12::1", 443));
  CHECK_FALSE(goes_direct("[fd12::1]:80", "fd12::1", 443));
  CHECK(goes_direct("Example.com", "API.example.COM", 6443));
  for (const char* host : {"localhost", "127.0.0.1", "127.9.9.9", "::1"}) CHECK(goes_direct("", host, 6443));
}

TEST_CASE("A server's URL is taken apart") {
  CHECK(parse_server_url("https://host")->port == 443);
  CHECK(parse_server_url("https://[fd00::1]:6443")->host == "fd00::1");
  CHECK(parse_server_url("https://[fd00::1]:6443")->port == 6443);
  CHECK(parse_server_url("https://rancher/k8s/clusters/local/")->path == "/k8s/clusters/local");
  CHECK(parse_server_url("https://host:6443/")->path.empty());
}

TEST_CASE("What is no server's URL is refused") {
  for (const char* url :
       {"", "host", "ftp://host", "https://", "https://:6443", "https://[fd00::1", "https://h:0", "https://h:65536",
        "https://h:64x", "https://u@h", "https://h/?q", "https://h/a b", "https://h/\r\nX: y", "https://[::1]6443"}) {
    CAPTURE(url);
    CHECK_FALSE(parse_server_url(url).ok());
  }
}

}  // namespace
}  // namespace snapfreeze::kube
