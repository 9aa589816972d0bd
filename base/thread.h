// The one way to start a thread: with a name, and without signals.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace snapfreeze {

// The name is what `top -H` and a debugger show: Linux keeps its first 15 bytes. Signals are left to the threads that
// wait for them, and a peer that goes away while this one writes is an error of that write (no SIGPIPE). The thread is
// joined when what is returned ends or is assigned to, so whatever the body uses must live longer. The body throws
// nothing. Throws std::system_error when there is no thread to be had.
[[nodiscard]] std::jthread start_thread(std::string name, std::function<void()> body);

}  // namespace snapfreeze
