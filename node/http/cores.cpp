#include "node/http/cores.h"

#include "base/assert.h"
#include "base/blocking_pool.h"
#include "node/http/conditional.h"

namespace cairn::http {
namespace {
constexpr std::chrono::milliseconds kTick{250};
}  // namespace

Core::Core(std::size_t index, const Clock& clock)
    : index_(index),
      clock_(clock),
      work_(io_.get_executor()),
      ticker_(io_.get_executor()),
      wheel_(clock.mono(), kTick) {
  tick();
}

void Core::tick() {
  wheel_.advance(clock_.mono());
  date_line_ = "Date: " + http_date(static_cast<std::int64_t>(clock_.wall()) / 1000) + "\r\n";
  ticker_.expires_after(kTick);
  ticker_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

void Core::run() {
  io_.run();
}

void Core::stop() {
  io_.stop();
}

Cores::Cores(std::size_t count, const Clock& clock) {
  CAIRN_ASSERT(count > 0);
  for (std::size_t i = 0; i < count; ++i) cores_.push_back(std::make_unique<Core>(i, clock));
}

Cores::~Cores() {
  stop();
}

void Cores::start() {
  for (auto& core : cores_) {
    threads_.emplace_back([&core] {
      name_this_thread("core-" + std::to_string(core->index()));
      core->run();
    });
  }
}

void Cores::stop() {
  for (auto& core : cores_) core->stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace cairn::http
