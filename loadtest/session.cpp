// SPDX-License-Identifier: Apache-2.0
#include "loadtest/session.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include <boost/json.hpp>

#include "base/json.hpp"
#include "loadtest/customer.hpp"
#include "loadtest/entry_log.hpp"
#include "loadtest/http_client.hpp"
#include "loadtest/live.hpp"
#include "loadtest/request_writer.hpp"
#include "traffic/actions.hpp"

namespace flow::loadtest {

using base::Errc;
using base::Error;
using base::fail;
using base::Result;
using traffic::ActionKind;
namespace json = boost::json;

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t product_count = 10;

// What one set-up request is for the log and for an error message.
struct Step {
  std::uint64_t request;
  ActionKind kind;
  std::uint32_t user = 0;
  int status_wanted = 200;
  std::string name;  // "register user 7: POST /auth/register"
};

// One connection, one log, one thread.
class Worker {
 public:
  Worker(const SessionPlan& plan, const RequestWriter& writer, std::size_t steps_max)
      : plan_(plan), writer_(writer), client_(plan.base), log_(steps_max) {}

  Result<std::string> list(const Step& step, std::string_view token) {
    return ask(step,
               [&](RequestStamp stamp) { writer_.write_list_products(request_, stamp, token); });
  }
  Result<std::string> post(const Step& step, std::string_view token, std::string_view path,
                           const std::string& body) {
    return ask(step,
               [&](RequestStamp stamp) { writer_.write_post(request_, stamp, token, path, body); });
  }

  int last_status() const { return last_status_; }
  EntryLog& log() { return log_; }
  std::uint64_t done() const { return done_.load(); }

 private:
  // Writes, asks, logs, checks the status; the body.
  Result<std::string> ask(const Step& step, auto&& write) {
    const auto begun = base::now();
    const auto deadline = begun + plan_.request_deadline;
    write(RequestStamp{step.request, plan_.anchor.to_unix(begun)});
    const auto answer = client_.ask(request_, deadline);
    log_.append(entry_of(step, begun, answer));
    if (!answer) return base::with_context(step.name, answer.error());
    last_status_ = answer->status;
    if (answer->status != step.status_wanted) {
      return fail(Errc::refused, "{}: expected {}, the answer was {} {}", step.name,
                  step.status_wanted, answer->status, answer->body.substr(0, 300));
    }
    done_.add();
    return answer->body;
  }

  RequestEntry entry_of(const Step& step, base::TimePoint begun,
                        const Result<Answer>& answer) const {
    const auto unix_of = [this](base::TimePoint at) {
      return base::count(plan_.anchor.to_unix(at));
    };
    RequestEntry entry{.request = step.request,
                       .intended = unix_of(begun),
                       .answered = unix_of(base::now()),
                       .action = static_cast<std::uint8_t>(step.kind),
                       .user = step.user};
    if (answer) {
      entry.sent = unix_of(answer->sent);
      entry.answered = unix_of(answer->answered);
      entry.connection_free = entry.intended;
      entry.status = static_cast<std::uint16_t>(answer->status);
      entry.end = RequestEnd::answered;
    } else if (answer.error().code == Errc::timed_out) {
      entry.end = RequestEnd::unanswered;
    }
    return entry;
  }

  const SessionPlan& plan_;
  const RequestWriter& writer_;
  HttpClient client_;
  EntryLog log_;
  LiveCount done_;
  int last_status_ = 0;
  std::string request_;
};

// Reading JSON calls everything wrong the operator's mistake; in an answer it is the server's.
template <class T>
Result<T> as_answer(Result<T> read) {
  if (!read) return std::unexpected(Error{Errc::protocol, read.error().what});
  return read;
}

Result<json::value> json_of(const Step& step, const std::string& body) {
  return as_answer(base::parse_json(body, step.name));
}

Result<std::int64_t> id_of(const Step& step, const json::value& product) {
  const auto field = as_answer(base::JsonView(product, step.name + ": ").at("id"));
  if (!field) return std::unexpected(field.error());
  return as_answer(field->whole_number());
}

std::string product_body(std::uint32_t number) {
  return json::serialize(
      json::object{{"name", fmt::format("Product {}", number)},
                   {"price", 5.0 + number},
                   {"currency", "USD"},
                   {"category", "books"},
                   {"description", fmt::format("Description of product {}", number)}});
}

// The numbers of the plan's requests, in the order of the header's essay.
struct Numbers {
  const SessionPlan& plan;

  std::uint64_t admin() const { return plan.first_request; }
  std::uint64_t list() const { return plan.first_request + 1; }
  std::uint64_t product(std::uint32_t id) const { return plan.first_request + 1 + id; }
  std::uint64_t registration(std::uint32_t user) const {
    return plan.first_request + 2 + product_count + user;
  }
  std::uint64_t sign_in(std::uint32_t user) const { return registration(user) + plan.users; }
  std::uint64_t end() const { return sign_in(0) + plan.users; }
};

Result<std::string> sign_in(Worker& worker, const Step& step, const std::string& request_body) {
  const auto answer = worker.post(step, {}, sign_in_path, request_body);
  if (!answer) return std::unexpected(answer.error());
  return token_in(*answer, step.name);
}

// The ids of the products that the shop has.
Result<std::set<std::int64_t>> listed_products(Worker& worker, const Numbers& numbers,
                                               std::string_view token) {
  const Step step{.request = numbers.list(),
                  .kind = ActionKind::list_products,
                  .name = "list products: GET /products"};
  const auto body = worker.list(step, token);
  if (!body) return std::unexpected(body.error());
  const auto value = json_of(step, *body);
  if (!value) return std::unexpected(value.error());
  const auto products = as_answer(base::JsonView(*value, step.name + ": ").array());
  if (!products) return std::unexpected(products.error());
  std::set<std::int64_t> ids;
  for (const json::value& product : **products) {
    const auto id = id_of(step, product);
    if (!id) return std::unexpected(id.error());
    ids.insert(*id);
  }
  return ids;
}

Result<void> make_product(Worker& worker, const Numbers& numbers, std::string_view token,
                          std::uint32_t id) {
  const Step step{.request = numbers.product(id),
                  .kind = ActionKind::create_product,
                  .status_wanted = 201,
                  .name = fmt::format("create product {}: POST /products/", id)};
  const auto body = worker.post(step, token, "/products/", product_body(id));
  if (!body) return std::unexpected(body.error());
  const auto value = json_of(step, *body);
  if (!value) return std::unexpected(value.error());
  const auto given = id_of(step, *value);
  if (!given) return std::unexpected(given.error());
  if (*given == id) return {};
  return fail(Errc::refused,
              "{}: got id {}; the shop's products must be numbered from 1, start it "
              "on an empty database",
              step.name, *given);
}

// Products 1..10: made in order when there is none, taken as they are when all are there.
Result<void> make_products(Worker& worker, const Numbers& numbers, std::string_view token) {
  const auto present = listed_products(worker, numbers, token);
  if (!present) return std::unexpected(present.error());
  for (std::uint32_t id = 1; id <= product_count; ++id) {
    if (present->contains(id)) continue;
    if (const auto made = make_product(worker, numbers, token, id); !made) return made;
  }
  return {};
}

Result<std::string> admit_user(Worker& worker, const Numbers& numbers, std::uint32_t user) {
  const std::uint64_t trial = numbers.plan.trial;
  const Step registration{.request = numbers.registration(user),
                          .kind = ActionKind::register_user,
                          .user = user,
                          .name = fmt::format("register user {}: POST /auth/register", user)};
  const auto registered =
      worker.post(registration, {}, register_path, registration_body(trial, user));
  if (!registered) return std::unexpected(registered.error());
  const Step step{.request = numbers.sign_in(user),
                  .kind = ActionKind::sign_in,
                  .user = user,
                  .name = fmt::format("sign in user {}: POST /auth/signin", user)};
  return sign_in(worker, step, sign_in_body(trial, user));
}

// The whole set-up: the admin's part on the first worker's thread, then the users on all.
class SetUp {
 public:
  SetUp(const SessionPlan& plan, const std::function<bool()>& is_cancelled)
      : plan_(plan), numbers_{plan}, writer_(plan.base, plan.trial), is_cancelled_(is_cancelled) {
    const unsigned count = std::clamp<unsigned>(plan.concurrency, 1, plan.users);
    const std::size_t steps_max = 2 + product_count + 2 * (plan.users / count + 1);
    for (unsigned i = 0; i < count; ++i) {
      workers_.push_back(std::make_unique<Worker>(plan_, writer_, steps_max));
    }
    errors_.resize(count);
    tokens_.resize(plan.users);
  }

  Result<Session> run(RequestSink* sink,
                      const std::function<void(std::uint64_t, std::uint64_t)>& on_progress) {
    in_parallel(1, [this](std::size_t) { return admin_part(); }, sink, on_progress);
    if (const auto error = first_error()) return std::unexpected(*error);
    in_parallel(
        workers_.size(), [this](std::size_t i) { return users_part(i); }, sink, on_progress);
    if (const auto error = first_error()) return std::unexpected(*error);
    return Session{std::move(tokens_), numbers_.end(), done()};
  }

 private:
  Result<void> admin_part() {
    const Step step{.request = numbers_.admin(),
                    .kind = ActionKind::sign_in,
                    .name = "sign in the admin: POST /auth/signin"};
    const auto token =
        sign_in(*workers_[0], step, sign_in_body(plan_.admin_email, plan_.admin_password));
    if (!token) {
      const bool is_mistake = workers_[0]->last_status() == 401;  // The operator's, then.
      return std::unexpected(
          Error{is_mistake ? Errc::config : token.error().code, token.error().what});
    }
    return make_products(*workers_[0], numbers_, *token);
  }

  Result<void> users_part(std::size_t worker) {
    for (std::size_t user = worker; user < tokens_.size(); user += workers_.size()) {
      if (is_stopped_.load()) return fail(Errc::cancelled, "set-up: stopped");
      auto token = admit_user(*workers_[worker], numbers_, static_cast<std::uint32_t>(user));
      if (!token) return std::unexpected(token.error());
      tokens_[user] = std::move(*token);  // No other worker touches this one.
    }
    return {};
  }

  // Runs part(i) on `count` threads; meanwhile this thread passes the logs on.
  void in_parallel(std::size_t count, const std::function<Result<void>(std::size_t)>& part,
                   RequestSink* sink,
                   const std::function<void(std::uint64_t, std::uint64_t)>& on_progress) {
    std::atomic<std::size_t> running = count;
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        if (const auto done = part(i); !done) {
          errors_[i] = done.error();
          is_stopped_.store(true);
        }
        running.fetch_sub(1);
      });
    }
    do {
      if (is_cancelled_ && is_cancelled_()) is_stopped_.store(true);
      std::this_thread::sleep_for(running.load() > 0 ? 20ms : 0ms);
      for (const auto& worker : workers_) {
        if (sink) worker->log().take(*sink);
      }
      if (on_progress) on_progress(done(), numbers_.end() - plan_.first_request);
    } while (running.load() > 0);
    threads.clear();
    for (const auto& worker : workers_) {
      if (sink) worker->log().take(*sink);
    }
  }

  // The cause, rather than the workers that stopped because of it.
  std::optional<Error> first_error() const {
    std::optional<Error> found;
    for (const auto& error : errors_) {
      if (error && (!found || found->code == Errc::cancelled)) found = error;
    }
    return found;
  }

  std::uint64_t done() const {
    std::uint64_t sum = 0;
    for (const auto& worker : workers_) sum += worker->done();
    return sum;
  }

  const SessionPlan& plan_;
  const Numbers numbers_;
  const RequestWriter writer_;
  const std::function<bool()>& is_cancelled_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::optional<Error>> errors_;  // By worker.
  std::vector<std::string> tokens_;
  std::atomic<bool> is_stopped_ = false;
};

}  // namespace

Result<Session> open_session(const SessionPlan& plan, RequestSink* sink,
                             const std::function<void(std::uint64_t, std::uint64_t)>& on_progress,
                             const std::function<bool()>& is_cancelled) {
  if (plan.users == 0) return fail(Errc::config, "users 0: expected at least 1");
  if (plan.trial == 0 || plan.first_request == 0) {
    return fail(Errc::config, "session: trial and first request count from 1");
  }
  if (plan.admin_email.empty() || plan.admin_password.empty()) {
    return fail(Errc::config, "the shop's products need its admin: email and password");
  }
  return SetUp(plan, is_cancelled).run(sink, on_progress);
}

}  // namespace flow::loadtest
