#include "certs/key_pair_files.h"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>

namespace snapfreeze::certs {

namespace {

// A chain is a few KiB; a path to something endless must not fill the memory.
constexpr std::size_t kMaxFileSize = 64 * 1024;
constexpr int kReadAttempts = 3;

Result<std::string> read_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string content(kMaxFileSize + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (!file.eof() && !file.good()) {
    return Error{Code::kMalformed, path + ": " + std::strerror(errno == 0 ? EIO : errno)};
  }
  content.resize(static_cast<std::size_t>(file.gcount()));
  if (content.size() > kMaxFileSize)
    return Error{Code::kMalformed, path + ": larger than 64 KiB, which no serving certificate or key is"};
  return content;
}

// Reads certificate and key from the same state of the folder, as the symlink may be swapped between the two reads.
Result<PemPair> read_pair(const KeyPairFilesOptions& options) {
  auto certificate = read_file(options.certificate_path);
  for (int attempt = 1; certificate; ++attempt) {
    auto key = read_file(options.key_path);
    if (!key) return key.error();
    auto again = read_file(options.certificate_path);
    if (again && (*again == *certificate || attempt == kReadAttempts)) {
      return PemPair{std::move(*certificate), std::move(*key)};
    }
    certificate = std::move(again);
  }
  return certificate.error();
}

std::string digest(const PemPair& files) {
  const std::string text = files.certificate + '\0' + files.key;
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), bytes.data(), &size, EVP_sha256(), nullptr);
  return {bytes.begin(), bytes.begin() + size};
}

std::string date_text(Wall time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm fields{};
  gmtime_r(&seconds, &fields);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &fields);
  return text.data();
}

Result<void> check_dates(const CertificateInfo& info, Wall now) {
  if (now >= info.not_after) return Error{Code::kMalformed, "the certificate expired at " + date_text(info.not_after)};
  if (now < info.not_before) {
    return Error{Code::kMalformed, "the certificate is not valid before " + date_text(info.not_before)};
  }
  return {};
}

}  // namespace

KeyPairFiles::KeyPairFiles(KeyPairFilesOptions options, CertHolder& holder)
    : options_(std::move(options)), holder_(holder) {}

Result<std::shared_ptr<const KeyPair>> KeyPairFiles::load(const PemPair& files, Wall now) const {
  auto pair = KeyPair::parse(files.certificate, files.key);
  if (!pair) return pair;
  if (const auto good = check_dates((*pair)->info(), now); !good) return good.error();
  if (!options_.name.empty() && !(*pair)->serves(options_.name)) {
    return Error{Code::kMalformed, "the certificate has no subject alternative name for " + options_.name};
  }
  return pair;
}

KeyPairReport KeyPairFiles::poll(Wall now) {
  KeyPairReport report;
  const Result<PemPair> files = read_pair(options_);
  const std::shared_ptr<const KeyPair> served = holder_.current();
  if (!files) {
    report.trouble = files.error().message;
  } else if (const std::string found = digest(*files); served && found == loaded_digest_) {
    if (const auto good = check_dates(served->info(), now); !good) {
      report.trouble = options_.certificate_path + ": " + good.error().message;
    }
  } else if (const auto pair = load(*files, now); !pair) {
    report.trouble = options_.certificate_path + ", " + options_.key_path + ": " + pair.error().message;
  } else {
    holder_.set(*pair);
    loaded_digest_ = found;
    report.loaded = true;
  }

  report.news = report.loaded || report.trouble != last_trouble_;
  last_trouble_ = report.trouble;
  if (const auto current = holder_.current()) report.not_after = current->info().not_after;
  return report;
}

void follow(KeyPairFiles& files, Clock& clock, Millis interval,
            const std::function<void(const KeyPairReport&)>& observe) {
  do observe(files.poll(clock.wall()));
  while (clock.wait(interval));
}

}  // namespace snapfreeze::certs
