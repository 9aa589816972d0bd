#include "test/double/face/longhorn_face.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/double/face/http1.h"

namespace cluster {
namespace {

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// False when the peer has gone, or the time is over.
bool stays(int socket, Millis so_long) {
  pollfd entry{socket, POLLIN | POLLRDHUP, 0};
  return ::poll(&entry, 1, static_cast<int>(so_long.count())) == 0;
}

bool split_start_line(const std::string& line, HttpRequest& request) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string::npos || first == last) return false;
  request.method = line.substr(0, first);
  request.set_target(std::string_view(line).substr(first + 1, last - first - 1));
  return true;
}

}  // namespace

LonghornFace::LonghornFace(ThreadRuntime& runtime, LonghornBackend& backend, int port)
    : runtime_(runtime),
      backend_(backend),
      loopback_(runtime, "longhorn", port, [this](int socket) { serve(socket); }) {}

void LonghornFace::serve(int socket) {
  struct Close {
    Loopback& loopback;
    int socket;
    ~Close() {
      loopback.forget(socket);
      ::close(socket);
    }
  } const close{loopback_, socket};
  Http1Reader reader([&](char* into, std::size_t size) {
    const ssize_t count = ::recv(socket, into, size, 0);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  });
  HttpHead head;
  while (reader.head(head)) {
    HttpRequest request;
    if (!split_start_line(head.start_line, request) || !reader.body(head, false, request.body)) return;
    const bool keep_alive = head.headers["connection"] != "close";
    backend_.note_call(request);
    if (!exchange(socket, request, keep_alive)) return;
  }
}

// False when the connection is to be closed.
bool LonghornFace::exchange(int socket, const HttpRequest& request, bool keep_alive) {
  const BackendReply said = backend_.answer(request);
  const std::string text = format_reply(said.reply, keep_alive);
  switch (said.pace) {
    case BackendReply::Pace::kAtOnce:
      return send_all(socket, text) && keep_alive;
    case BackendReply::Pace::kDribbles:
      return dribble(socket, text) && keep_alive;
    case BackendReply::Pace::kHangs:
      while (stays(socket, kDribbleEvery)) runtime_.sleep_for(Millis(0));
      return false;
    case BackendReply::Pace::kCloses:
      return false;
    case BackendReply::Pace::kCutShort:
      send_all(socket, std::string_view(text).substr(0, text.size() - said.reply.body.size() / 2));
      return false;
  }
  return false;
}

bool LonghornFace::dribble(int socket, std::string_view bytes) {
  for (const char byte : bytes) {
    if (!send_all(socket, std::string_view(&byte, 1)) || !stays(socket, kDribbleEvery)) return false;
    runtime_.sleep_for(Millis(0));
  }
  return true;
}

}  // namespace cluster
