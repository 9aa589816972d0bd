#include "test/double/face/https_face.h"

#include "test/double/api/status.h"
#include "test/double/face/http1.h"

namespace cluster {

HttpsFace::HttpsFace(ThreadRuntime& runtime, SslContext context, int port, std::map<std::string, std::string> users,
                     Handler handler)
    : context_(std::move(context)),
      users_(std::move(users)),
      handler_(std::move(handler)),
      loopback_(runtime, "https", port, [this](int socket) { serve(socket); }) {}

void HttpsFace::serve(int socket) {
  struct Forget {
    Loopback& loopback;
    int socket;
    ~Forget() { loopback.forget(socket); }
  };
  TlsStream stream(context_, socket);  // closes the socket
  const Forget forget{loopback_, socket};
  if (!stream.accept()) return;
  Http1Reader reader([&](char* into, std::size_t size) { return stream.read(into, size); });
  HttpHead head;
  while (reader.head(head)) {
    HttpRequest request;
    const std::size_t first = head.start_line.find(' ');
    const std::size_t last = head.start_line.rfind(' ');
    if (first == std::string::npos || first == last) return;
    request.method = head.start_line.substr(0, first);
    request.set_target(std::string_view(head.start_line).substr(first + 1, last - first - 1));
    if (!reader.body(head, false, request.body)) return;
    const bool keep_alive = head.headers["connection"] != "close";
    request.headers = std::move(head.headers);
    if (!exchange(stream, request, keep_alive)) return;
  }
}

bool HttpsFace::identify(HttpRequest& request) const {
  request.user_agent = request.headers["user-agent"];
  constexpr std::string_view kBearer = "Bearer ";
  const std::string& authorization = request.headers["authorization"];
  if (authorization.rfind(kBearer, 0) != 0) {
    request.caller = request.user_agent.substr(0, request.user_agent.find('/'));
    return true;
  }
  const auto user = users_.find(authorization.substr(kBearer.size()));
  if (user == users_.end()) return false;
  request.caller = user->second;
  return true;
}

// False when the connection is to be closed.
bool HttpsFace::exchange(TlsStream& stream, HttpRequest& request, bool keep_alive) {
  const Reply reply = identify(request) ? handler_(request) : refuse(401, "Unauthorized", "Unauthorized");
  if (reply.dropped) return false;
  if (reply.stream) {
    stream_watch(stream, reply);
    return false;
  }
  if (!stream.write(format_reply(reply, keep_alive))) return false;
  if (!keep_alive) stream.close_cleanly();
  return keep_alive;
}

// A watch that ends in the middle of a line ends as a broken connection does, without the last chunk.
void HttpsFace::stream_watch(TlsStream& stream, const Reply& reply) {
  if (!stream.write(format_stream_head(reply))) return;
  bool whole = true;
  reply.stream([&](std::string_view bytes) {
    if (bytes.empty()) return stream.peer_listens();
    whole = bytes.back() == '\n';
    return stream.write(format_chunk(bytes));
  });
  if (!whole || !stream.write("0\r\n\r\n")) return;
  stream.close_cleanly();
}

}  // namespace cluster
