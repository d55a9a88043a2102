// How far a transfer is: a bar on a terminal, a line every few seconds elsewhere. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

namespace cairn::cli {

class Progress {
 public:
  enum class Style : std::uint8_t { quiet, lines, bar };

  /// `total_bytes` is nothing where it is not known (standard input).
  Progress(std::ostream& err, Style style, std::string verb,
           std::optional<std::uint64_t> total_bytes);

  /// Counts `noun` instead of blocks, and of so many: the bar is by number then.
  void count(std::string noun, std::uint64_t total);

  void advance(std::uint64_t bytes);
  /// The last line: what was moved, in what time.
  void finish(std::uint64_t failed);
  /// Takes the bar off the line, so that a message can be written; the next advance() draws again.
  void clear_line();

 private:
  using Steady = std::chrono::steady_clock;
  void draw(Steady::time_point now);
  std::string figures(Steady::time_point now) const;

  std::ostream& err_;
  const Style style_;
  const std::string verb_;
  std::string noun_ = "blocks";
  std::optional<std::uint64_t> total_count_;
  const std::optional<std::uint64_t> total_;
  const Steady::time_point start_;
  Steady::time_point drawn_;
  std::uint64_t bytes_ = 0;
  std::uint64_t blocks_ = 0;
  bool bar_shown_ = false;
};

/// "1.5 MiB"
std::string size_for_people(double bytes);

}  // namespace cairn::cli
