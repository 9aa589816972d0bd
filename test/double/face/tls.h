// TLS 1.2 and later on a connected socket, by OpenSSL.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "test/double/runtime/runtime.h"

namespace cluster {

using SslContext = std::shared_ptr<SSL_CTX>;

// Both throw std::runtime_error that says what is wrong with the PEM text.
SslContext server_context(const std::string& certificate_chain, const std::string& private_key);
SslContext client_context(const std::string& ca_bundle);

// One connection, used by one thread at a time. Real time only.
class TlsStream {
 public:
  // Takes the socket over; the handshake follows.
  TlsStream(const SslContext& context, int socket);
  [[nodiscard]] bool accept();
  // `server_name`: what the peer's certificate must be valid for, a host name or an IP address.
  static std::unique_ptr<TlsStream> connect(const SslContext& context, const std::string& host, int port,
                                            const std::string& server_name, Mono deadline, std::string& error);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // 0: the peer is gone, or the deadline has passed.
  std::size_t read(char* into, std::size_t size, Mono deadline = kNever);
  bool write(std::string_view bytes, Mono deadline = kNever);
  // Is the peer still there, for one that has nothing to say?
  [[nodiscard]] bool peer_listens() const;
  void close_cleanly();

 private:
  bool wait(int result, Mono deadline) const;

  SSL* ssl_;
  const int socket_;
};

}  // namespace cluster
