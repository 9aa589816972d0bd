// The program as an admin calls it: what it says, and how it ends.
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/unit/cli/program.h"

namespace {

using test::Run;
using test::says;
using test::snapfreeze;

const std::string kPair = "--tls-cert c.pem --tls-key k.pem ";

TEST_CASE("version and help") {
  const Run version = snapfreeze("version");
  CHECK(version.status == 0);
  CHECK(version.said.starts_with("snapfreeze "));
  for (const char* help : {"--help", "webhook --help", "sweeper --help"}) {
    CAPTURE(help);
    CHECK(snapfreeze(help).status == 0);
  }
  for (const char* help : {"webhook --help", "sweeper --help"}) {
    CAPTURE(help);
    CHECK(says(snapfreeze(help), "Examples:"));
  }
}

TEST_CASE("what cannot be is refused by name, and with what would be right") {
  struct Case {
    std::string arguments;
    std::vector<std::string> said;
  };
  const std::vector<Case> cases{
      {"", {"webhook", "sweeper", "version"}},
      {"freeze", {"not expected: freeze"}},
      {"webhook", {"--tls-cert", "required"}},
      {"webhook " + kPair + "--bogus", {"not expected: --bogus"}},
      {"webhook " + kPair + "--freeze-timeout 0", {"--freeze-timeout", "'0'", "whole seconds from 5s"}},
      {"webhook " + kPair + "--freeze-timeout 500ms", {"--freeze-timeout", "'500ms'", "such as 30s"}},
      {"webhook " + kPair + "--freeze-timeout 6.5s", {"--freeze-timeout", "'6.5s'", "whole seconds"}},
      {"webhook " + kPair + "--freeze-timeout soon", {"--freeze-timeout", "'soon'", "such as 30s"}},
      {"webhook " + kPair + "--max-freeze-timeout 10s", {"--max-freeze-timeout", "below --freeze-timeout", "30s"}},
      {"webhook " + kPair + "--mode off", {"--mode", "off", "freeze", "observe"}},
      {"webhook " + kPair + "--max-freezes 0", {"--max-freezes", "'0'", "1 to 32"}},
      {"webhook " + kPair + "--drain 2m", {"--drain", "'2m'", "1m"}},
      {"webhook " + kPair + "--listen 8443", {"--listen", "'8443'", ":8443"}},
      {"webhook " + kPair + "--listen :99999", {"--listen", "':99999'"}},
      {"webhook " + kPair + "--log-format xml", {"--log-format", "xml", "json", "text"}},
      {"sweeper --thaw-on never", {"--thaw-on", "never", "captured", "ready"}},
      {"sweeper --kubeconfig /nonexistent/config", {"/nonexistent/config", "cannot be read"}},
      {"sweeper", {".kube/config", "cannot be read"}},
  };
  for (const Case& wrong : cases) {
    const Run run = snapfreeze(wrong.arguments);
    CAPTURE(wrong.arguments, run.said);
    CHECK(run.status != 0);
    CHECK(run.status != 124);  // of timeout
    for (const std::string& text : wrong.said) CHECK(says(run, text));
  }
}

TEST_CASE("an option is taken from the environment as well, where the command line says nothing") {
  const Run environment = snapfreeze("sweeper", "SNAPFREEZE_THAW_ON=never");
  CHECK(environment.status != 0);
  CHECK(says(environment, "--thaw-on"));
  const Run both = snapfreeze("sweeper --thaw-on ready", "SNAPFREEZE_THAW_ON=never");
  CHECK(says(both, "cannot be read"));  // it came as far as the kubeconfig
}

}  // namespace
