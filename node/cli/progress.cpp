#include "node/cli/progress.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ostream>
#include <utility>

namespace cairn::cli {

using std::chrono::milliseconds;

std::string size_for_people(double bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return out.data();
}

Progress::Progress(std::ostream& err, Style style, std::string verb,
                   std::optional<std::uint64_t> total_bytes)
    : err_(err),
      style_(style),
      verb_(std::move(verb)),
      total_(total_bytes),
      start_(Steady::now()),
      drawn_(start_) {}

void Progress::count(std::string noun, std::uint64_t total) {
  noun_ = std::move(noun);
  total_count_ = total;
}

void Progress::advance(std::uint64_t bytes) {
  bytes_ += bytes;
  ++blocks_;
  const auto now = Steady::now();
  const auto pause = style_ == Style::bar ? milliseconds(100) : milliseconds(5000);
  const bool cleared = style_ == Style::bar && !bar_shown_;
  if (cleared || (style_ != Style::quiet && now - drawn_ >= pause)) draw(now);
}

std::string Progress::figures(Steady::time_point now) const {
  const double seconds = std::max(0.001, std::chrono::duration<double>(now - start_).count());
  const auto moved = static_cast<double>(bytes_);
  std::string out = verb_ + " " + std::to_string(blocks_);
  if (total_count_) out += " of " + std::to_string(*total_count_);
  out += " " + noun_ + ", " + size_for_people(moved);
  if (total_) out += " of " + size_for_people(static_cast<double>(*total_));
  return out + ", " + size_for_people(moved / seconds) + "/s";
}

void Progress::draw(Steady::time_point now) {
  drawn_ = now;
  if (style_ == Style::lines) {
    err_ << figures(now) << '\n' << std::flush;
    return;
  }
  std::string bar;
  const std::uint64_t total = total_count_ ? *total_count_ : total_.value_or(0);
  if (total > 0) {
    constexpr std::size_t kWidth = 24;
    const std::uint64_t done = std::min(total_count_ ? blocks_ : bytes_, total);
    const auto full = static_cast<std::size_t>(kWidth * done / total);
    bar = "[" + std::string(full, '#') + std::string(kWidth - full, '.') + "] " +
          std::to_string(100 * done / total) + "% ";
  }
  bar_shown_ = true;
  err_ << "\r\x1b[K" << bar << figures(now) << std::flush;
}

void Progress::clear_line() {
  if (!bar_shown_) return;
  bar_shown_ = false;
  err_ << "\r\x1b[K" << std::flush;
}

void Progress::finish(std::uint64_t failed) {
  // Nothing to add to a transfer that was over before its first line, or to one that moved nothing.
  if (style_ == Style::quiet || blocks_ == 0 || (style_ == Style::lines && drawn_ == start_))
    return;
  draw(Steady::now());
  if (style_ == Style::bar) err_ << '\n';
  if (failed > 0) err_ << failed << " failed\n";
  err_ << std::flush;
}

}  // namespace cairn::cli
