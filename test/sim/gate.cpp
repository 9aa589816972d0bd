#include "test/sim/gate.h"

#include <algorithm>
#include <optional>

namespace sim {

namespace kube = snapfreeze::kube;
using snapfreeze::Result;

struct Gate::State {
  struct Stop {
    Where where;
    int number;
    Millis lasts;
  };

  struct Barrier {
    std::string ending;
    Millis lasts;
  };

  explicit State(cluster::Runtime& its_runtime) : runtime(its_runtime) {}

  // Precondition: the lock is held.
  std::optional<Millis> due(Where where, int number) {
    const auto found = std::find_if(stops.begin(), stops.end(),
                                    [&](const Stop& stop) { return stop.where == where && stop.number == number; });
    if (found == stops.end()) return std::nullopt;
    const Millis lasts = found->lasts;
    stops.erase(found);
    return lasts;
  }

  // Precondition: the lock is held. The one that this call would be stopped by.
  std::vector<Barrier>::iterator barrier(std::string_view target) {
    return std::find_if(barriers.begin(), barriers.end(),
                        [&](const Barrier& one) { return target.ends_with(one.ending); });
  }

  void open() {
    const cluster::Lock lock = runtime.lock();
    --closed;
    runtime.wake(opened);
  }

  void go_on(int number) {
    {
      const cluster::Lock lock = runtime.lock();
      if (held != number) return;
      held = 0;
    }
    open();
  }

  cluster::Runtime& runtime;
  cluster::Signal opened;
  std::vector<Barrier> barriers;
  int held = 0;  // number of the barrier that is closed; 0: none
  int barriers_closed = 0;
  int closed = 0;  // so many reasons to wait
  int calls = 0;
  int steps = 0;
  std::vector<Stop> stops;
};

Gate::Gate(cluster::Runtime& runtime) : state_(std::make_shared<State>(runtime)) {}

void Gate::close() {
  const cluster::Lock lock = state_->runtime.lock();
  ++state_->closed;
}

void Gate::open() {
  state_->open();
}

void Gate::close_for(Millis lasts) {
  close();
  state_->runtime.spawn("go on", [state = state_, lasts] {
    state->runtime.sleep_for(lasts);
    state->open();
  });
}

void Gate::close_at(Where where, int nth, Millis lasts) {
  const cluster::Lock lock = state_->runtime.lock();
  state_->stops.push_back({where, (where == Where::kAtStep ? state_->steps : state_->calls) + nth, lasts});
}

void Gate::close_before(const std::string& ending, Millis lasts) {
  const cluster::Lock lock = state_->runtime.lock();
  state_->barriers.push_back({ending, lasts});
}

void Gate::go_on() {
  int held = 0;
  {
    const cluster::Lock lock = state_->runtime.lock();
    held = state_->held;
  }
  if (held > 0) state_->go_on(held);
}

void Gate::disarm() {
  const cluster::Lock lock = state_->runtime.lock();
  state_->stops.clear();
  state_->barriers.clear();
}

void Gate::stop_at_barrier(std::string_view target) {
  Millis lasts{0};
  int number = 0;
  {
    const cluster::Lock lock = state_->runtime.lock();
    const auto barrier = state_->barrier(target);
    if (barrier == state_->barriers.end() || state_->held > 0) return;
    lasts = barrier->lasts;
    state_->barriers.erase(barrier);
    ++state_->closed;
    number = state_->held = ++state_->barriers_closed;
  }
  state_->runtime.spawn("go on", [state = state_, lasts, number] {
    state->runtime.sleep_for(lasts);
    state->go_on(number);
  });
}

int Gate::leaves(std::string_view target) {
  std::optional<Millis> lasts;
  int number = 0;
  {
    const cluster::Lock lock = state_->runtime.lock();
    number = ++state_->calls;
    lasts = state_->due(Where::kBeforeCall, number);
  }
  stop_at_barrier(target);
  if (lasts) close_for(*lasts);
  pass();
  return number;
}

bool Gate::stops_between(std::string_view next) {
  std::optional<Millis> lasts;
  {
    const cluster::Lock lock = state_->runtime.lock();
    lasts = state_->due(Where::kAtStep, ++state_->steps);
    const bool before = std::any_of(state_->stops.begin(), state_->stops.end(), [&](const State::Stop& stop) {
      return stop.where == Where::kBeforeCall && stop.number == state_->calls + 1;
    });
    const bool barred = state_->barrier(next) != state_->barriers.end();
    if (!lasts) return before || barred || state_->closed > 0;
  }
  close_for(*lasts);
  return true;
}

void Gate::answered(int number) {
  std::optional<Millis> lasts;
  {
    const cluster::Lock lock = state_->runtime.lock();
    lasts = state_->due(Where::kAfterCall, number);
  }
  if (lasts) close_for(*lasts);
}

void Gate::step() {
  std::optional<Millis> lasts;
  {
    const cluster::Lock lock = state_->runtime.lock();
    lasts = state_->due(Where::kAtStep, ++state_->steps);
  }
  if (lasts) close_for(*lasts);
  pass();
}

void Gate::pass() {
  cluster::Lock lock = state_->runtime.lock();
  state_->runtime.wait_until(lock, state_->opened, cluster::kNever, [this] { return state_->closed == 0; });
}

bool Gate::closed() const {
  const cluster::Lock lock = state_->runtime.lock();
  return state_->closed > 0;
}

int Gate::steps() const {
  const cluster::Lock lock = state_->runtime.lock();
  return state_->steps;
}

int Gate::calls() const {
  const cluster::Lock lock = state_->runtime.lock();
  return state_->calls;
}

Result<kube::Response> GatedApi::call(const kube::Request& request) {
  const int number = gate_.leaves(request.target);
  auto reply = api_.call(request);
  gate_.answered(number);
  gate_.pass();
  return reply;
}

std::vector<Result<kube::Response>> GatedApi::call_all(std::span<const kube::Request> requests) {
  std::vector<Result<kube::Response>> replies;
  while (replies.size() < requests.size()) {
    const auto rest = requests.subspan(replies.size());
    std::vector<int> numbers{gate_.leaves(rest.front().target)};
    while (numbers.size() < rest.size() && !gate_.stops_between(rest[numbers.size()].target)) {
      numbers.push_back(gate_.leaves(rest[numbers.size()].target));
    }
    for (auto& reply : api_.call_all(rest.first(numbers.size()))) replies.push_back(std::move(reply));
    for (const int number : numbers) gate_.answered(number);
    gate_.pass();
  }
  return replies;
}

Result<void> GatedApi::stream(const kube::Request& request, Millis idle, const kube::LineSink& sink) {
  gate_.answered(gate_.leaves(request.target));  // a watch is answered by its lines
  gate_.pass();
  auto end = api_.stream(request, idle, [&](std::string_view line) {
    gate_.pass();
    return sink(line);
  });
  gate_.pass();
  return end;
}

}  // namespace sim
