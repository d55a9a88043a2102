// Loads of many different objects, for what needs more than one URL: `fill` stores N small blocks
// through the batch call, `random` reads them back in random order and checks every byte, `list`
// asks for each path of a file once, `repeat` asks for one path as fast as it can, `idle` holds
// connections open until standard input ends. Block i is a pure function of (seed, i), so nothing
// has to be kept between fill and random. Owned by one thread.
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "closed_loop.h"
#include "http_answer.h"
#include "options.h"
#include "sha256.h"

namespace cairn::bench {
namespace {

std::uint64_t mix(std::uint64_t x) {  // the finalizer of SplitMix64
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

// Writes block i of a series: incompressible, and different from every other.
void make_block(std::uint64_t seed, std::uint64_t i, char* out, std::size_t size) {
  for (std::size_t at = 0; at < size; at += 8) {
    const std::uint64_t word = mix(mix(seed ^ i) + at);
    std::memcpy(out + at, &word, std::min<std::size_t>(8, size - at));
  }
}

std::string get_request(const std::string& path, const std::string& host) {
  return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
}

struct Series {
  std::uint64_t seed;
  std::uint64_t blocks;
  std::size_t size;
  std::string host;
};

class Fill : public Workload {
 public:
  Fill(Series series, std::size_t per_request, std::size_t clients)
      : series_(std::move(series)), per_request_(per_request), requests_(clients) {}

  bool next(std::size_t connection, Outgoing& out) override {
    if (sent_ == series_.blocks) return false;
    Request& request = requests_[connection];
    request.count = std::min<std::uint64_t>(per_request_, series_.blocks - sent_);
    const std::size_t frame = 4 + series_.size;
    request.body.resize(request.count * frame);
    for (std::size_t i = 0; i < request.count; ++i) {
      char* at = request.body.data() + i * frame;
      for (std::size_t byte = 0; byte < 4; ++byte) {
        at[byte] = static_cast<char>(series_.size >> (8 * byte));
      }
      make_block(series_.seed, sent_ + i, at + 4, series_.size);
    }
    sent_ += request.count;
    request.head = "POST /v1/blocks/batch HTTP/1.1\r\nHost: " + series_.host +
                   "\r\nContent-Type: application/vnd.cairn.blocks\r\nContent-Length: " +
                   std::to_string(request.body.size()) + "\r\n\r\n";
    out.add(request.head);
    out.add(request.body);
    report();
    return true;
  }

  std::optional<Answer> read(std::size_t connection, std::string_view buffer) override {
    const auto answer = read_answer(buffer, Body::keep);
    if (!answer) return std::nullopt;
    if (answer->status != 200) {
      return Answer{answer->total_bytes,
                    "status " + std::to_string(answer->status) + " " + answer->body.substr(0, 200)};
    }
    // One JSON result a block; a result that is not a success names its error's status.
    const std::uint64_t right =
        count(answer->body, "\"status\":201") + count(answer->body, "\"status\":200");
    if (right != requests_[connection].count) {
      return Answer{answer->total_bytes,
                    "a batch was not stored whole: " + answer->body.substr(0, 200)};
    }
    stored_ += right;
    return Answer{answer->total_bytes, ""};
  }

  std::uint64_t stored() const { return stored_; }

 private:
  struct Request {
    std::string head;
    std::string body;
    std::uint64_t count = 0;
  };

  static std::uint64_t count(std::string_view text, std::string_view what) {
    std::uint64_t found = 0;
    for (auto at = text.find(what); at != std::string_view::npos;
         at = text.find(what, at + what.size())) {
      ++found;
    }
    return found;
  }

  void report() {
    if (sent_ / kReportEvery == reported_) return;
    reported_ = sent_ / kReportEvery;
    std::fprintf(stderr, "sent %llu blocks\n", static_cast<unsigned long long>(sent_));
  }

  static constexpr std::uint64_t kReportEvery = 1'000'000;
  Series series_;
  std::size_t per_request_;
  std::vector<Request> requests_;
  std::uint64_t sent_ = 0;
  std::uint64_t stored_ = 0;
  std::uint64_t reported_ = 0;
};

class RandomReads : public Workload {
 public:
  RandomReads(Series series, std::size_t clients, std::uint64_t order)
      : series_(std::move(series)), requests_(clients), random_(order) {}

  bool next(std::size_t connection, Outgoing& out) override {
    Request& request = requests_[connection];
    request.block.resize(series_.size);
    make_block(series_.seed, random_() % series_.blocks, request.block.data(), series_.size);
    request.text = get_request("/v1/blocks/" + hex(hasher_.digest(request.block)), series_.host);
    out.add(request.text);
    return true;
  }

  std::optional<Answer> read(std::size_t connection, std::string_view buffer) override {
    const auto answer = read_answer(buffer, Body::keep);
    if (!answer) return std::nullopt;
    const auto source = header_value(answer->head, "cairn-source");
    if (source && source->starts_with("memory")) ++from_memory_;
    if (answer->status != 200) {
      return Answer{answer->total_bytes,
                    "status " + std::to_string(answer->status) + " " + answer->body.substr(0, 200)};
    }
    const bool right = answer->body == requests_[connection].block;
    return Answer{answer->total_bytes, right ? "" : "other bytes than were stored"};
  }

  std::uint64_t from_memory() const { return from_memory_; }

 private:
  struct Request {
    std::string block;
    std::string text;
  };
  Series series_;
  std::vector<Request> requests_;
  std::mt19937_64 random_;
  Sha256 hasher_;
  std::uint64_t from_memory_ = 0;
};

class PathList : public Workload {
 public:
  PathList(std::istream& paths, const std::string& host, std::size_t size) : size_(size) {
    for (std::string path; std::getline(paths, path);) {
      requests_.push_back(get_request(path, host));
    }
  }

  bool next(std::size_t /*connection*/, Outgoing& out) override {
    if (asked_ == requests_.size()) return false;
    out.add(requests_[asked_++]);
    return true;
  }

  std::optional<Answer> read(std::size_t /*connection*/, std::string_view buffer) override {
    const auto answer = read_answer(buffer, Body::skip);
    if (!answer) return std::nullopt;
    std::string error;
    if (answer->status != 200) error = "status " + std::to_string(answer->status);
    if (size_ != 0 && answer->body_bytes != size_) error += " wrong length";
    return Answer{answer->total_bytes, error};
  }

 private:
  std::vector<std::string> requests_;
  std::size_t size_;
  std::size_t asked_ = 0;
};

// One path over and over, for servers that are faster than wrk.
class Repeated : public Workload {
 public:
  Repeated(const std::string& path, const std::string& host, std::size_t size)
      : request_(get_request(path, host)), size_(size) {}

  bool next(std::size_t /*connection*/, Outgoing& out) override {
    out.add(request_);
    return true;
  }

  std::optional<Answer> read(std::size_t /*connection*/, std::string_view buffer) override {
    const auto answer = read_answer(buffer, Body::leave);
    if (!answer) return std::nullopt;
    if (answer->status == 200 && answer->body_bytes == size_)
      return Answer{answer->total_bytes, ""};
    return Answer{answer->total_bytes, "status " + std::to_string(answer->status) + ", " +
                                           std::to_string(answer->body_bytes) + " bytes"};
  }

 private:
  std::string request_;
  std::size_t size_;
};

// Every connection asks the same path once and then rests.
class OnceEach : public Workload {
 public:
  OnceEach(const std::string& path, const std::string& host, std::size_t clients)
      : request_(get_request(path, host)), left_(clients, true) {}

  bool next(std::size_t connection, Outgoing& out) override {
    if (!left_[connection]) return false;
    left_[connection] = false;
    out.add(request_);
    return true;
  }

  std::optional<Answer> read(std::size_t /*connection*/, std::string_view buffer) override {
    const auto answer = read_answer(buffer, Body::skip);
    if (!answer) return std::nullopt;
    return Answer{answer->total_bytes,
                  answer->status == 200 ? "" : "status " + std::to_string(answer->status)};
  }

 private:
  std::string request_;
  std::vector<bool> left_;
};

int finish(const LoadFigures& figures, const std::string& extra) {
  std::puts(figures.json(extra).c_str());
  std::fflush(stdout);
  return figures.errors == 0 && figures.requests > 0 ? 0 : 1;
}

int run_mode(const Options& options, ClosedLoop& loop, const Series& series) {
  const std::size_t clients = options.number("clients");
  LoadLimits limits;
  limits.seconds = options.decimal("seconds");
  if (options.mode() == "fill") {
    Fill fill(series, options.number("per-request"), clients);
    const LoadFigures figures = loop.run(fill, limits);
    const int status = finish(figures, ",\"stored\":" + std::to_string(fill.stored()));
    return fill.stored() == series.blocks ? status : 1;
  }
  if (options.mode() == "random") {
    RandomReads reads(series, clients, options.number("order"));
    const LoadFigures figures = loop.run(reads, limits);
    return finish(figures, ",\"from_memory\":" + std::to_string(reads.from_memory()));
  }
  if (options.mode() == "list") {
    std::ifstream file(options.text("paths"));
    if (!file) throw std::invalid_argument("cannot read " + options.text("paths"));
    PathList list(file, series.host, series.size);
    return finish(loop.run(list, limits), "");
  }
  if (options.mode() == "repeat") {
    Repeated repeated(options.text("path"), series.host, series.size);
    return finish(loop.run(repeated, limits), "");
  }
  OnceEach once(options.text("path"), series.host, clients);
  const int status = finish(loop.run(once, limits), "");
  char ignored = 0;
  while (read(STDIN_FILENO, &ignored, 1) > 0) {
  }
  return status;
}

int run(int argc, char** argv) {
  const Options options(argc, argv,
                        {{"address", "127.0.0.1"},
                         {"port", ""},
                         {"clients", "8"},
                         {"seconds", "3"},
                         {"seed", "1"},
                         {"order", "1"},
                         {"blocks", "10000000"},
                         {"size", "100"},
                         {"per-request", "1000"},
                         {"paths", ""},
                         {"path", "/"}});
  const std::string& mode = options.mode();
  if (mode != "fill" && mode != "random" && mode != "list" && mode != "repeat" && mode != "idle") {
    throw std::invalid_argument("mode is fill, random, list, repeat or idle");
  }
  const Series series{options.number("seed"), options.number("blocks"), options.number("size"),
                      options.text("address") + ":" + options.text("port")};
  ClosedLoop loop(options.text("address"), static_cast<std::uint16_t>(options.number("port")),
                  options.number("clients"));
  return run_mode(options, loop, series);
}

}  // namespace
}  // namespace cairn::bench

int main(int argc, char** argv) {
  try {
    return cairn::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(
        stderr,
        "bench_scale_load: %s\nusage: bench_scale_load fill|random|list|repeat|idle --port N "
        "[--address A] [--clients N] [--seconds S]\n"
        "  fill, random: [--seed N] [--blocks N] [--size BYTES]; fill: [--per-request N]; "
        "random: [--order N]\n"
        "  list: --paths FILE [--size BYTES expected, 0 for any]; repeat: --path PATH --size "
        "BYTES; "
        "idle: --path PATH\n",
        error.what());
    return 2;
  }
}
