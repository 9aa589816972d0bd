// The one way to start a thread: with a name, and without signals.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace snapfreeze {

// `top -H` and a debugger show the name, of which Linux keeps the first 15 bytes. Signals are left to the threads that
// wait for them. If a peer goes away while this thread writes, that write fails (no SIGPIPE). The thread is joined when
// the returned object is destroyed or assigned to, so everything that the body uses must live longer. The body must not
// throw. Throws std::system_error if no thread can be started.
[[nodiscard]] std::jthread start_thread(std::string name, std::function<void()> body);

}  // namespace snapfreeze
