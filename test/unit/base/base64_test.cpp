#include "base/base64.h"

#include <string>

#include "test/support/catch.h"

namespace snapfreeze {
namespace {

TEST_CASE("Base64 is decoded, across lines") {
  for (const std::string& bytes : {std::string(), std::string("f"), std::string("fo"), std::string("foo"),
                                   std::string("\xFF\xEF\0", 3), std::string("foobar")}) {
    CHECK(base64_decode(base64_encode(bytes)) == bytes);
  }
  CHECK(base64_encode("fo") == "Zm8=");
  CHECK(base64_encode(std::string("\xFF\xEF\0", 3)) == "/+8A");
  CHECK(base64_decode("") == "");
  CHECK(base64_decode("Zg==") == "f");
  CHECK(base64_decode("Zm8=") == "fo");
  CHECK(base64_decode("Zm9v\nYmFy\r\n") == "foobar");
  CHECK(base64_decode("/+8A") == std::string("\xFF\xEF\0", 3));
  for (const char* text : {"Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm-v", "Zm 9"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text).has_value());
  }
}

TEST_CASE("What OpenSSL's decoder would forgive is refused") {
  for (const char* text : {" Zg==", "Zg== ", "\tZg==", "Zm9v-", "Zm9v----", "-", "=",
                           "==", "Z=g=", "Zm9v====", "Zm9v Zm9v", "Zg==\nZg==", "Zm9v\v"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text).has_value());
  }
  CHECK_FALSE(base64_decode(std::string_view("Zm\0v", 4)).has_value());
  CHECK(base64_decode("Z\ng\n=\r\n=\n") == "f");
}

TEST_CASE("base64 is that of RFC 4648") {
  CHECK(base64_encode("").empty());
  CHECK(base64_encode("f") == "Zg==");
  CHECK(base64_encode("fo") == "Zm8=");
  CHECK(base64_encode("foo") == "Zm9v");
  CHECK(base64_encode("foobar") == "Zm9vYmFy");
  CHECK(base64_encode("\xff\xfe\xfd") == "//79");
}

}  // namespace
}  // namespace snapfreeze
