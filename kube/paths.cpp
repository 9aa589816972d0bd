#include "kube/paths.h"

#include <algorithm>

namespace snapfreeze::kube {

std::string api_version(const Resource& resource) {
  std::string version;
  if (!resource.group.empty()) version.append(resource.group).append("/");
  return version.append(resource.version);
}

std::string collection_path(const Resource& resource, std::string_view namespace_) {
  std::string path = resource.group.empty() ? "/api/" : "/apis/";
  path += api_version(resource);
  if (resource.namespaced && !namespace_.empty()) path += "/namespaces/" + percent_encode(namespace_);
  return path.append("/").append(resource.plural);
}

std::string labelled_path(const Resource& resource, std::string_view namespace_, std::string_view selector) {
  return collection_path(resource, namespace_) + "?labelSelector=" + percent_encode(selector);
}

std::string object_path(const Resource& resource, std::string_view namespace_, std::string_view name,
                        std::string_view subresource) {
  std::string path = collection_path(resource, namespace_) + "/" + percent_encode(name);
  if (!subresource.empty()) path.append("/").append(subresource);
  return path;
}

bool is_object_name(std::string_view name) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > 253 || !alphanumeric(name.front()) || !alphanumeric(name.back())) return false;
  return std::ranges::all_of(name, [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char character : text) {
    if (kUnreserved.find(character) != std::string_view::npos) {
      encoded += character;
      continue;
    }
    const auto byte = static_cast<unsigned char>(character);
    encoded += '%';
    encoded += kHex[byte >> 4];
    encoded += kHex[byte & 15];
  }
  return encoded;
}

}  // namespace snapfreeze::kube
