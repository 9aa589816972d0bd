// A webhook replica reached over HTTPS, as kube-apiserver's client does: CA and host checked, connections kept.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "test/double/api/admission.h"
#include "test/double/face/tls.h"

namespace cluster {

class Http1Reader;

class HttpsWebhook : public AdmissionTransport {
 public:
  HttpsWebhook(std::string host, int port);
  ~HttpsWebhook() override;

  WebhookReply post(const WebhookCall& call) override;

 private:
  struct Connection;

  std::unique_ptr<Connection> take_idle(const WebhookCall& call);
  std::unique_ptr<Connection> connect(const WebhookCall& call, std::string& error);
  WebhookReply exchange(std::unique_ptr<Connection> connection, const WebhookCall& call, bool& untouched);

  const std::string host_;
  const int port_;
  std::mutex mutex_;
  std::string ca_bundle_, server_name_;  // what context_ and idle_ were made with
  SslContext context_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace cluster
