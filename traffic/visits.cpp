// SPDX-License-Identifier: Apache-2.0
#include "traffic/visits.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/random.hpp"
#include "traffic/arrivals.hpp"

namespace flow::traffic {
namespace {

using base::Errc;
using base::fail;
using base::Nanos;
using base::Result;

constexpr double requests_max = 50e6;
constexpr std::uint32_t users_max = 1'000'000;
constexpr double pause_seconds_max = 30 * 86'400.0;   // Longer than any run; fits into Nanos.
constexpr std::uint64_t pause_purpose = 0x70617573;   // "paus"
constexpr std::uint64_t action_purpose = 0x61637473;  // "acts"

// Draws that belong to one step of one visit, whoever asks and in whatever order.
double unit_of(std::uint64_t stream, std::uint64_t visit, std::uint64_t step) {
  return base::SplitMix64(base::derive_seed(base::derive_seed(stream, visit), step)).next_unit();
}

Nanos nanos_of(double seconds) {
  return Nanos{static_cast<std::int64_t>(std::min(seconds, pause_seconds_max) * 1e9)};
}

// The i-th of a sequence of which `share` are chosen, evenly spread.
bool is_chosen(std::uint64_t i, double share) {
  const auto n = static_cast<double>(i);
  return std::floor((n + 1) * share) > std::floor(n * share);
}

// Plays every visit against a server that answers at once. Whatever a real server does, a visit
// gets no further than here.
class Writer {
 public:
  Writer(const VisitSpec& spec, VisitPlan& plan)
      : spec_(spec),
        plan_(plan),
        pauses_(base::derive_seed(spec.shape.seed, pause_purpose)),
        behaviour_{.seed = base::derive_seed(spec.shape.seed, action_purpose)} {}

  void write(std::span<const Arrival> arrivals) {
    for (const Arrival& arrival : arrivals) write(arrival);
    count_present();
  }

 private:
  void write(const Arrival& arrival) {
    Visit visit{.arrives = arrival.arrives,
                .until = arrival.until,
                .first = plan_.actions.size(),
                .lane = arrival.lane,
                .is_new = arrival.may_be_new && is_chosen(may_be_new_, spec_.new_share)};
    if (arrival.may_be_new) ++may_be_new_;
    visit.user = user_of(visit);
    ++plan_.arrivals[tick_of(visit.arrives)];
    const Nanos last = write_requests(visit, arrival);
    visit.requests = static_cast<std::uint32_t>(plan_.actions.size() - visit.first);
    presence_.emplace_back(visit.arrives, 1);
    presence_.emplace_back(visit.stays ? visit.until : last, -1);
    plan_.visits.push_back(visit);
  }

  // The moment of the last request; sets `stays`.
  Nanos write_requests(Visit& visit, const Arrival& arrival) {
    const std::uint64_t number = plan_.visits.size();
    Nanos at = visit.arrives;
    for (std::uint32_t step = 0; step < arrival.steps; ++step) {
      const Nanos pause = pause_before(number, step, arrival.is_waiting);
      const Nanos next = plan_.end_of_pause(at, pause);
      if (next >= visit.until) {
        visit.stays = true;
        return at;
      }
      at = next;
      if (step == 0 && visit.is_new) {
        add({ActionKind::register_user, visit.user, 0, 0}, at, pause);
        add({ActionKind::sign_in, visit.user, 0, 0}, at, Nanos{0});
      }
      const Step requests = make_step(base::derive_seed(number, step), visit.user, behaviour_);
      add(requests[0], at, step == 0 && visit.is_new ? Nanos{0} : pause);
      add(requests[1], at, Nanos{0});
    }
    return at;
  }

  Nanos pause_before(std::uint64_t visit, std::uint32_t step, bool is_waiting) const {
    if (step == 0 && !is_waiting) return Nanos{0};
    const double u = unit_of(pauses_, visit, step);
    return nanos_of(step == 0 ? spec_.think.residual_quantile(u) : spec_.think.quantile(u));
  }

  std::uint32_t user_of(const Visit& visit) {
    if (visit.is_new) {
      return spec_.users + static_cast<std::uint32_t>(plan_.new_visits++);
    }
    if (spec_.mode != Mode::sessions) return visit.lane;
    return static_cast<std::uint32_t>(returning_++ % spec_.users);
  }

  void add(const Action& action, Nanos at, Nanos pause) {
    plan_.actions.push_back(action);
    plan_.pauses.push_back(pause);
    ++plan_.counts[tick_of(at)];
  }

  std::size_t tick_of(Nanos at) const { return static_cast<std::size_t>(at / plan_.tick); }

  void count_present() {
    std::ranges::sort(presence_);  // Who leaves at a moment does so before others come.
    std::int64_t present = 0;
    double integral = 0;
    Nanos before{0};
    for (const auto& [at, change] : presence_) {
      integral += static_cast<double>(present) * static_cast<double>((at - before).count());
      before = at;
      present += change;
      plan_.present_max = std::max(plan_.present_max, static_cast<std::uint64_t>(present));
    }
    plan_.present_mean = integral / static_cast<double>(plan_.duration.count());
  }

  const VisitSpec& spec_;
  VisitPlan& plan_;
  const std::uint64_t pauses_;
  const BehaviourSpec behaviour_;
  std::uint64_t may_be_new_ = 0;
  std::uint64_t returning_ = 0;
  std::vector<std::pair<Nanos, int>> presence_;
};

std::uint64_t hash_of(const VisitPlan& plan) {
  base::Fnv1a64 hash;
  const auto add = [&hash](auto... values) {
    (hash.add_le64(static_cast<std::uint64_t>(values)), ...);
  };
  add(static_cast<std::uint8_t>(plan.mode), plan.duration.count());
  for (const Visit& visit : plan.visits) {
    add(visit.arrives.count(), visit.until.count(), visit.requests, visit.user, visit.stays);
  }
  for (const Nanos pause : plan.pauses) add(pause.count());
  for (const Action& action : plan.actions) {
    add(static_cast<std::uint8_t>(action.kind), action.user, action.product, action.quantity);
  }
  return hash.value();
}

Result<void> check(const VisitSpec& spec) {
  if (spec.mode == Mode::open) return fail(Errc::config, "mode open: has a schedule, no visits");
  if (spec.users < 1 || spec.users > users_max) {
    return fail(Errc::config, "users {}: expected 1 to {}", spec.users, users_max);
  }
  if (!(spec.new_share >= 0 && spec.new_share <= 1)) {
    return fail(Errc::config, "new_share {}: expected 0 to 1", spec.new_share);
  }
  if (!(spec.steps_mean >= 1 && spec.steps_mean <= 1000)) {
    return fail(Errc::config, "steps_mean {}: expected 1 to 1000", spec.steps_mean);
  }
  const BoundedThinkTime& think = spec.think;
  if (!(think.pareto.alpha > 1 && think.pareto.alpha <= 100)) {
    return fail(Errc::config,
                "think alpha {}: expected above 1 (below, the mean is infinite) to 100",
                think.pareto.alpha);
  }
  if (!(think.pareto.xm_seconds >= 0.001 && think.pareto.xm_seconds <= 3600)) {
    return fail(Errc::config, "think xm {} s: expected 0.001 to 3600", think.pareto.xm_seconds);
  }
  if (!(think.limit_seconds > think.pareto.xm_seconds)) {
    return fail(Errc::config, "think limit {} s: expected above xm, which is {} s",
                think.limit_seconds, think.pareto.xm_seconds);
  }
  return {};
}

// Expected, within a factor of 2 whatever the tail of the pauses (renewal function m(t) <=
// 2 t / E[min(Z, t)]): before memory is taken for it.
Result<void> check_size(const VisitSpec& spec, std::span<const Arrival> arrivals) {
  double requests = 0;
  for (const Arrival& arrival : arrivals) {
    const double stay = std::chrono::duration<double>(arrival.until - arrival.arrives).count();
    if (stay <= spec.think.pareto.xm_seconds) {
      requests += 2;
      continue;
    }
    const double limit = std::min(stay, spec.think.limit_seconds);
    const double pause = spec.think.pareto.mean_when_clipped_at(limit);
    requests += 2 * std::min<double>(arrival.steps, 1 + stay / pause);
  }
  if (requests <= requests_max) return {};
  return fail(Errc::config, "{}: about {:.0f} requests: expected at most {:.0f}",
              name_of(spec.mode), requests, requests_max);
}

Result<std::vector<Arrival>> arrivals_of(const VisitSpec& spec) {
  switch (spec.mode) {
    case Mode::sessions:
      return session_arrivals(spec);
    case Mode::population:
      return population_arrivals(spec);
    case Mode::open:
    case Mode::closed:
    case Mode::closed_warped:
      break;
  }
  return closed_arrivals(spec);
}

}  // namespace

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::open:
      return "open";
    case Mode::sessions:
      return "sessions";
    case Mode::population:
      return "population";
    case Mode::closed:
      return "closed";
    case Mode::closed_warped:
      return "closed-warped";
  }
  return "?";
}

Result<Mode> parse_mode(std::string_view text) {
  for (const Mode mode :
       {Mode::open, Mode::sessions, Mode::population, Mode::closed, Mode::closed_warped}) {
    if (text == name_of(mode)) return mode;
  }
  return fail(Errc::config,
              "mode '{}': expected open, sessions, population, closed or closed-warped", text);
}

std::string_view name_of(FirstWait wait) {
  return wait == FirstWait::equilibrium ? "equilibrium" : "none";
}

Result<FirstWait> parse_first_wait(std::string_view text) {
  for (const FirstWait wait : {FirstWait::equilibrium, FirstWait::none}) {
    if (text == name_of(wait)) return wait;
  }
  return fail(Errc::config, "first wait '{}': expected equilibrium or none", text);
}

double requests_per_session(const VisitSpec& spec) {
  return 2 * spec.steps_mean + 2 * spec.new_share;
}

Result<VisitPlan> make_visits(const VisitSpec& spec) {
  if (const auto checked = check(spec); !checked) return std::unexpected(checked.error());
  const auto volumes = tick_volumes(spec.shape, 1);
  if (!volumes) return base::with_context(name_of(spec.mode), volumes.error());
  const auto arrivals = arrivals_of(spec);
  if (!arrivals) return std::unexpected(arrivals.error());
  if (const auto ok = check_size(spec, *arrivals); !ok) return std::unexpected(ok.error());
  VisitPlan plan;
  plan.mode = spec.mode;
  plan.tick = spec.shape.tick;
  plan.duration = spec.shape.tick * spec.shape.ticks;
  plan.counts.resize(spec.shape.ticks);
  plan.arrivals.resize(spec.shape.ticks);
  if (spec.mode == Mode::closed_warped) plan.operational.emplace(*volumes, spec.shape.tick);
  Writer(spec, plan).write(*arrivals);
  if (plan.actions.empty()) {
    return fail(Errc::config,
                "{}: nobody asks for anything within {} s: expected more customers "
                "or a longer run",
                name_of(spec.mode), static_cast<double>(plan.duration.count()) * 1e-9);
  }
  plan.hash = hash_of(plan);
  return plan;
}

}  // namespace flow::traffic
