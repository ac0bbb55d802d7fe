// SPDX-License-Identifier: Apache-2.0
#include "servers/supervisor.hpp"

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <fstream>
#include <future>
#include <grp.h>
#include <map>
#include <mutex>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/check.hpp"
#include "servers/proc.hpp"

namespace flow::servers {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t line_bytes_max = 1024 * 1024;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

std::string errno_text(int error) { return std::generic_category().message(error); }

}  // namespace

struct ChildProcess::State {
  std::string name;
  std::filesystem::path log_path;
  std::function<void(std::string_view)> on_line;
  pid_t pid = 0;
  std::uint64_t start_time = 0;

  // Of the supervisor thread.
  Descriptor pidfd;
  Descriptor output;
  std::string line;

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  bool is_gone = false;  // Reaped: the pid may belong to somebody else from here on.
  int wait_status = 0;
};

namespace {

using State = ChildProcess::State;

// Everything the child needs, made before the fork: between fork and exec only functions that are
// safe in a signal handler may run, since other threads may have held any lock.
struct ExecPlan {
  std::string program;
  std::vector<std::string> words;
  std::vector<std::string> environment;
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::string directory;
  bool changes_user = false;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  int death_signal = SIGKILL;
  pid_t parent = 0;
  Descriptor null_input;
  Descriptor log;
};

Result<std::string> find_program(const std::string& word) {
  if (word.find('/') != std::string::npos) return word;
  const char* path = std::getenv("PATH");
  std::string_view rest = path ? path : "/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string candidate = fmt::format("{}/{}", rest.substr(0, end), word);
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return fail(Errc::io, "{}: there is no such program in PATH", word);
}

Result<void> plan_user(const std::string& user, ExecPlan& plan) {
  if (user.empty()) return {};
  const passwd* entry = ::getpwnam(user.c_str());
  if (!entry) return fail(Errc::io, "user {}: this machine has no such user", user);
  if (entry->pw_uid == ::geteuid()) return {};
  if (::geteuid() != 0) return fail(Errc::io, "user {}: only root can become another user", user);
  plan.changes_user = true;
  plan.uid = entry->pw_uid;
  plan.gid = entry->pw_gid;
  int count = 64;
  plan.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(user.c_str(), plan.gid, plan.groups.data(), &count) < 0) {
    plan.groups = {plan.gid};
  } else {
    plan.groups.resize(static_cast<std::size_t>(count));
  }
  return {};
}

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& added) {
  std::map<std::string, std::string> merged;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    merged.insert_or_assign(std::string(text.substr(0, equals)),
                            std::string(text.substr(equals + 1)));
  }
  for (const auto& [key, value] : added) merged.insert_or_assign(key, value);
  std::vector<std::string> lines;
  for (const auto& [key, value] : merged) lines.push_back(key + "=" + value);
  return lines;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<std::unique_ptr<ExecPlan>> make_plan(const SpawnOptions& options) {
  auto plan = std::make_unique<ExecPlan>();
  FLOW_CHECK(!options.command.empty());
  auto program = find_program(options.command[0]);
  if (!program) return std::unexpected(program.error());
  plan->program = *program;
  plan->words = options.command;
  plan->environment = environment_with(options.environment);
  plan->argv = pointers_to(plan->words);
  plan->envp = pointers_to(plan->environment);
  plan->directory = options.working_directory.string();
  plan->death_signal = options.death_signal;
  plan->parent = ::getpid();
  if (auto user = plan_user(options.user, *plan); !user) return std::unexpected(user.error());
  plan->null_input = Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::string log = options.log_path.empty() ? "/dev/null" : options.log_path.string();
  plan->log = Descriptor(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!plan->log) return fail(Errc::io, "{}: {}", log, errno_text(errno));
  return plan;
}

[[noreturn]] void give_up(int report) {
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(report, &error, sizeof error);
  ::_exit(127);
}

// Runs in the child, between fork and exec.
[[noreturn]] void become_program(const ExecPlan& plan, int output, int report) {
  ::setsid();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int ignored : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::signal(ignored, SIG_DFL);
  if (::dup2(plan.null_input.get(), 0) < 0 ||
      ::dup2(output >= 0 ? output : plan.log.get(), 1) < 0 || ::dup2(plan.log.get(), 2) < 0) {
    give_up(report);
  }
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (plan.changes_user && (::setgroups(plan.groups.size(), plan.groups.data()) != 0 ||
                            ::setgid(plan.gid) != 0 || ::setuid(plan.uid) != 0)) {
    give_up(report);
  }
  if (!plan.directory.empty() && ::chdir(plan.directory.c_str()) != 0) give_up(report);
  // After setuid, which clears it. The parent may have died before this line.
  if (::prctl(PR_SET_PDEATHSIG, plan.death_signal) != 0) give_up(report);
  if (::getppid() != plan.parent) ::_exit(127);
  ::execve(plan.program.c_str(), plan.argv.data(), plan.envp.data());
  give_up(report);
}

class Supervisor {
 public:
  // Never destroyed: children are to live as long as the process does.
  static Supervisor& instance() {
    static Supervisor* const only = new Supervisor();
    return *only;
  }

  Result<std::shared_ptr<State>> spawn(SpawnOptions options) {
    Request request{std::move(options), {}};
    auto answer = request.answer.get_future();
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::move(request));
    }
    const std::uint64_t one = 1;
    FLOW_CHECK(::write(wake_.get(), &one, sizeof one) == sizeof one);
    return answer.get();
  }

 private:
  struct Request {
    SpawnOptions options;
    std::promise<Result<std::shared_ptr<State>>> answer;
  };

  Supervisor() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    FLOW_CHECK(static_cast<bool>(wake_));
    std::thread([this] {
      pthread_setname_np(pthread_self(), "supervisor");
      sigset_t all;  // Signals belong to the threads that wait for them.
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
      for (;;) turn();
    }).detach();
  }

  void turn() {
    std::vector<pollfd> waiting = {{wake_.get(), POLLIN, 0}};
    const auto children = children_;
    for (const auto& child : children) {
      waiting.push_back({child->pidfd.get(), POLLIN, 0});
      waiting.push_back({child->output.get(), POLLIN, 0});  // -1 is skipped.
    }
    if (::poll(waiting.data(), waiting.size(), -1) < 0) return;  // EINTR.
    if (waiting[0].revents != 0) take_requests();
    for (std::size_t i = 0; i < children.size(); ++i) {
      if (waiting[2 + 2 * i].revents != 0) read_output(*children[i]);
      if (waiting[1 + 2 * i].revents != 0) reap(children[i]);
    }
  }

  void take_requests() {
    std::uint64_t ignored = 0;
    [[maybe_unused]] const auto taken = ::read(wake_.get(), &ignored, sizeof ignored);
    std::deque<Request> requests;
    {
      const std::lock_guard lock(mutex_);
      requests.swap(requests_);
    }
    for (auto& request : requests) request.answer.set_value(fork_child(request.options));
  }

  Result<std::shared_ptr<State>> fork_child(SpawnOptions& options) {
    auto plan = make_plan(options);
    if (!plan) return base::with_context(options.name, plan.error());
    int report[2] = {-1, -1};
    int output[2] = {-1, -1};
    if (::pipe2(report, O_CLOEXEC) != 0 || (options.on_line && ::pipe2(output, O_CLOEXEC) != 0)) {
      return fail(Errc::io, "{}: pipe: {}", options.name, errno_text(errno));
    }
    Descriptor report_read(report[0]), report_write(report[1]);
    Descriptor output_read(output[0]), output_write(output[1]);
    const pid_t pid = ::fork();
    if (pid == 0) become_program(**plan, output[1], report[1]);
    if (pid < 0) return fail(Errc::io, "{}: fork: {}", options.name, errno_text(errno));
    report_write.reset();
    int error = 0;
    ssize_t got = 0;
    while ((got = ::read(report_read.get(), &error, sizeof error)) < 0 && errno == EINTR) {
    }
    if (got > 0) {
      ::waitpid(pid, nullptr, 0);
      return fail(Errc::io, "{}: {}: {}", options.name, (*plan)->program, errno_text(error));
    }
    return adopt(pid, options, std::move(output_read));
  }

  Result<std::shared_ptr<State>> adopt(pid_t pid, SpawnOptions& options, Descriptor output) {
    auto state = std::make_shared<State>();
    state->name = options.name;
    state->log_path = options.log_path;
    state->on_line = std::move(options.on_line);
    state->pid = pid;
    if (const auto stat = read_process_stat(pid)) state->start_time = stat->start_time;
    state->pidfd = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!state->pidfd) {
      const int error = errno;
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      return fail(Errc::io, "{}: pidfd_open: {}", options.name, errno_text(error));
    }
    if (output) {
      ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
      state->output = std::move(output);
    }
    children_.push_back(state);
    return state;
  }

  // True when there may be more to read.
  static bool read_output(State& child) {
    if (!child.output) return false;
    char buffer[64 * 1024];
    const ssize_t got = ::read(child.output.get(), buffer, sizeof buffer);
    if (got > 0) {
      take_text(child, std::string_view(buffer, static_cast<std::size_t>(got)));
      return true;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    child.output.reset();
    if (!child.line.empty()) child.on_line(std::exchange(child.line, {}));
    return false;
  }

  static void take_text(State& child, std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      const std::string_view part = text.substr(0, end);
      child.line.append(
          part.substr(0, line_bytes_max - std::min(line_bytes_max, child.line.size())));
      if (end == std::string_view::npos) return;
      child.on_line(child.line);
      child.line.clear();
      text.remove_prefix(end + 1);
    }
  }

  void reap(std::shared_ptr<State> child) {
    // A zombie still holds its pid, so the group cannot be another one's.
    ::kill(-child->pid, SIGKILL);
    while (read_output(*child)) {
    }
    if (child->output && !child->line.empty()) child->on_line(std::exchange(child->line, {}));
    child->output.reset();
    {
      const std::lock_guard lock(child->mutex);
      FLOW_CHECK(::waitpid(child->pid, &child->wait_status, 0) == child->pid);
      child->is_gone = true;
    }
    child->changed.notify_all();
    child->pidfd.reset();
    std::erase(children_, child);
  }

  Descriptor wake_;
  std::mutex mutex_;
  std::deque<Request> requests_;
  std::vector<std::shared_ptr<State>> children_;  // Of the supervisor thread.
};

}  // namespace

std::string exit_text_of(int wait_status) {
  if (WIFEXITED(wait_status)) return fmt::format("exit code {}", WEXITSTATUS(wait_status));
  if (WIFSIGNALED(wait_status)) {
    const char* name = ::sigabbrev_np(WTERMSIG(wait_status));
    if (name) return fmt::format("ended by SIG{}", name);
    return fmt::format("ended by signal {}", WTERMSIG(wait_status));
  }
  return fmt::format("wait status {}", wait_status);
}

Result<std::unique_ptr<ChildProcess>> spawn(SpawnOptions options) {
  auto state = Supervisor::instance().spawn(std::move(options));
  if (!state) return std::unexpected(state.error());
  return std::make_unique<ChildProcess>(std::move(*state));
}

ChildProcess::ChildProcess(std::shared_ptr<State> state) : state_(std::move(state)) {}

ChildProcess::~ChildProcess() {
  if (!exited()) terminate(base::Nanos{0}, SIGKILL);
}

const std::string& ChildProcess::name() const { return state_->name; }
pid_t ChildProcess::pid() const { return state_->pid; }
std::uint64_t ChildProcess::start_time() const { return state_->start_time; }
const std::filesystem::path& ChildProcess::log_path() const { return state_->log_path; }

bool ChildProcess::exited() const {
  const std::lock_guard lock(state_->mutex);
  return state_->is_gone;
}

std::optional<int> ChildProcess::exit_code() const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->is_gone || !WIFEXITED(state_->wait_status)) return std::nullopt;
  return WEXITSTATUS(state_->wait_status);
}

std::string ChildProcess::exit_text() const {
  const std::lock_guard lock(state_->mutex);
  return state_->is_gone ? exit_text_of(state_->wait_status) : "running";
}

bool ChildProcess::wait_exit(base::TimePoint deadline) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_until(lock, deadline, [this] { return state_->is_gone; });
}

bool ChildProcess::terminate(base::Nanos grace, int signal) {
  if (exited()) return true;
  kill(signal);
  kill(SIGCONT);  // A frozen process takes no signal but SIGKILL.
  if (grace > base::Nanos{0} && wait_exit(base::now() + grace)) return signal != SIGKILL;
  std::map<pid_t, std::uint64_t> below;  // They may have left the group (PostgreSQL's do).
  for (const pid_t pid : ProcessTree::read().descendants_of(state_->pid)) {
    if (const auto stat = read_process_stat(pid)) below.emplace(pid, stat->start_time);
  }
  kill_group(SIGKILL);
  // Nothing stops SIGKILL but a disk that does not answer: then the sweep of a later run has it.
  wait_exit(base::now() + std::chrono::seconds(20));
  for (const auto& [pid, start_time] : below) {
    if (is_same_process(pid, start_time)) ::kill(pid, SIGKILL);
  }
  return false;
}

void ChildProcess::kill(int signal) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->is_gone) ::kill(state_->pid, signal);
}

void ChildProcess::kill_group(int signal) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->is_gone) ::kill(-state_->pid, signal);
}

std::string ChildProcess::log_tail(int lines) const { return file_tail(state_->log_path, lines); }

std::string file_tail(const std::filesystem::path& path, int lines) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file || lines <= 0) return {};
  const std::streamoff size = file.tellg();
  const std::streamoff from = std::max<std::streamoff>(0, size - 256 * 1024);
  std::string text(static_cast<std::size_t>(size - from), '\0');
  file.seekg(from);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (!text.empty() && text.back() != '\n') text += '\n';
  std::size_t start = text.size();
  for (int line = 0; line < lines && start > 0; ++line) {
    const std::size_t newline = start >= 2 ? text.rfind('\n', start - 2) : std::string::npos;
    start = newline == std::string::npos ? 0 : newline + 1;
  }
  return text.substr(start);
}

}  // namespace flow::servers
