#include "kube/kubeconfig.h"

#include <yaml-cpp/yaml.h>

#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/base64.h"
#include "base/file.h"
#include "kube/server_url.h"
#include "kube/token_source.h"

namespace snapfreeze::kube {
namespace {

// A part of the file, with its name in messages: "/etc/kubeconfig: clusters[local].cluster".
struct Section {
  std::string file;
  std::string where;
  YAML::Node node;

  // What is empty asks for nothing.
  [[nodiscard]] bool has(const char* key) const {
    const YAML::Node value = node[key];
    if (!value.IsDefined() || value.IsNull()) return false;
    return value.IsScalar() ? !value.Scalar().empty() : value.size() > 0;
  }
  [[nodiscard]] bool is_false(const char* key) const { return !node[key].as<bool>(true); }
  [[nodiscard]] std::string text(const char* key) const { return has(key) ? node[key].as<std::string>() : ""; }
  [[nodiscard]] Error error(const std::string& key, const std::string& what) const {
    return {Code::kMalformed, file + ": " + where + (where.empty() ? "" : ".") + key + ": " + what};
  }
  // File names are relative to the kubeconfig.
  [[nodiscard]] std::string path(const char* key) const {
    return (std::filesystem::path(file).parent_path() / text(key)).string();
  }
};

struct Refusal {
  const char* key;
  const char* instead;
};

constexpr char kSkipVerify[] = "insecure-skip-tls-verify";

constexpr std::array kRefusedOfCluster{
    Refusal{kSkipVerify, "is not supported; give the server's CA as certificate-authority-data"},
    Refusal{"proxy-url", "is not supported; the server must be reachable directly"}};

constexpr std::array kRefusedOfUser{
    Refusal{"exec", "is not supported; use a token, a tokenFile or a client certificate"},
    Refusal{"auth-provider", "is not supported; use a token, a tokenFile or a client certificate"},
    Refusal{"username", "is not supported; use a token, a tokenFile or a client certificate"},
    Refusal{"password", "is not supported; use a token, a tokenFile or a client certificate"},
    Refusal{"as", "impersonation is not supported; use the credentials of that user"},
    Refusal{"as-uid", "impersonation is not supported; use the credentials of that user"},
    Refusal{"as-groups", "impersonation is not supported; use the credentials of that user"},
    Refusal{"as-user-extra", "impersonation is not supported; use the credentials of that user"}};

template <std::size_t kCount>
Result<void> refuse(const Section& section, const std::array<Refusal, kCount>& refusals) {
  for (const auto& [key, instead] : refusals) {
    if (!section.has(key)) continue;
    // A flag that is false asks for nothing.
    const bool off = key == std::string_view(kSkipVerify) && section.is_false(key);
    if (!off) return section.error(key, instead);
  }
  return {};
}

using Files = std::vector<Section>;  // the roots, in order of precedence

// All of them, in a message.
Section together(const Files& files) {
  std::string names;
  for (const Section& root : files) names += (names.empty() ? "" : ":") + root.file;
  return {names, "", {}};
}

// The map `inner` of the entry called `name` in the list `list`, from the first file that has one.
Result<Section> entry(const Files& files, const char* list, const char* inner, const std::string& name) {
  std::string known;
  for (const Section& root : files) {
    for (const YAML::Node& each : root.node[list]) {
      const std::string each_name = each["name"].as<std::string>("");
      if (each_name == name) {
        Section found{root.file, std::string(list) + "[" + name + "]." + inner, each[inner]};
        if (!found.node.IsMap()) found.node = YAML::Node(YAML::NodeType::Map);
        return found;
      }
      known += (known.empty() ? "" : ", ") + each_name;
    }
  }
  return together(files).error(list,
                               "has no entry named \"" + name + "\"; there is: " + (known.empty() ? "none" : known));
}

// `key`-data decoded, else the file that `key` names, else "".
Result<std::string> pem(const Section& section, const std::string& key) {
  const std::string data_key = key + "-data";
  if (section.has(data_key.c_str())) {
    auto decoded = base64_decode(section.text(data_key.c_str()));
    if (!decoded) return section.error(data_key, "is not base64");
    return *std::move(decoded);
  }
  if (!section.has(key.c_str())) return std::string();
  Result<std::string> read = read_file(section.path(key.c_str()));
  if (!read.ok()) return section.error(key, read.error().message);
  return read;
}

Result<void> read_cluster(const Section& cluster, Config& config) {
  if (auto refused = refuse(cluster, kRefusedOfCluster); !refused.ok()) return refused;
  Result<ServerUrl> server = parse_server_url(cluster.text("server"));
  if (!server.ok()) return cluster.error("server", server.error().message);
  config.host = std::move(server->host);
  config.port = server->port;
  config.path_prefix = std::move(server->path);
  Result<std::string> ca = pem(cluster, "certificate-authority");
  if (!ca.ok()) return ca.error();
  config.ca_pem = std::move(ca).value();
  config.tls_server_name = cluster.text("tls-server-name");
  return {};
}

Result<void> read_user(const Section& user, Config& config) {
  if (auto refused = refuse(user, kRefusedOfUser); !refused.ok()) return refused;
  Result<std::string> certificate = pem(user, "client-certificate");
  if (!certificate.ok()) return certificate.error();
  Result<std::string> key = pem(user, "client-key");
  if (!key.ok()) return key.error();
  if (certificate->empty() != key->empty()) {
    return user.error("client-certificate and client-key", "one is given without the other");
  }
  config.client_certificate_pem = std::move(certificate).value();
  config.client_key_pem = std::move(key).value();
  config.token = user.text("token");
  if (!config.token.empty() && !is_token(config.token)) return user.error("token", kTokenExpected);
  if (!user.has("tokenFile")) return {};
  config.token_file = user.path("tokenFile");
  const Result<std::string> token = read_token(config.token_file);
  if (!token.ok()) return user.error("tokenFile", token.error().message);
  return {};
}

std::string current_context(const Files& files) {
  for (const Section& root : files) {
    if (root.has("current-context")) return root.text("current-context");
  }
  return "";
}

Result<Config> read_context(const Files& files, const std::string& asked) {
  const std::string name = asked.empty() ? current_context(files) : asked;
  if (name.empty()) return together(files).error("current-context", "is empty; name a context with --context");
  const Result<Section> context = entry(files, "contexts", "context", name);
  if (!context.ok()) return context.error();
  const Result<Section> cluster = entry(files, "clusters", "cluster", context->text("cluster"));
  if (!cluster.ok()) return cluster.error();
  const Result<Section> user = entry(files, "users", "user", context->text("user"));
  if (!user.ok()) return user.error();
  Config config;
  if (auto read = read_cluster(cluster.value(), config); !read.ok()) return read.error();
  if (auto read = read_user(user.value(), config); !read.ok()) return read.error();
  config.namespace_ = context->has("namespace") ? context->text("namespace") : "default";
  return config;
}

// A file of nothing is a kubeconfig without entries.
Result<Section> root_of(const std::string& file) {
  const Result<std::string> text = read_file(file);
  if (!text.ok()) return text.error();
  Section root{file, "", YAML::Load(text.value())};
  if (root.node.IsNull()) root.node = YAML::Node(YAML::NodeType::Map);
  if (!root.node.IsMap()) return Error{Code::kMalformed, file + ": is not a kubeconfig (kind: Config)"};
  return root;
}

}  // namespace

Result<Config> kubeconfig(const std::string& file, const std::string& context) {
  return kubeconfigs({file}, context);
}

Result<Config> kubeconfigs(const std::vector<std::string>& files, const std::string& context) {
  Files roots;
  std::string reading;
  try {
    for (const std::string& file : files) {
      std::error_code ignored;
      const bool may_be_missing = files.size() > 1;
      if (may_be_missing && !std::filesystem::exists(file, ignored) && !ignored) continue;
      reading = file;
      auto root = root_of(file);
      if (!root.ok()) return root.error();
      roots.push_back(*std::move(root));
    }
    if (!roots.empty()) return read_context(roots, context);
  } catch (const YAML::Exception& exception) {
    return Error{Code::kMalformed, reading + ": is not a kubeconfig: " + exception.what()};
  }
  std::string names;
  for (const std::string& file : files) names += (names.empty() ? "" : ", ") + file;
  return Error{Code::kMalformed, "none of these kubeconfigs exists: " + names};
}

}  // namespace snapfreeze::kube
