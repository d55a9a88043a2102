// Durable writes: N clients, each storing one new random body after another. Speaks HTTP
// (`PUT /v1/blocks/{id}`), RESP (`SET id body`) and etcd's JSON (`POST /v3/kv/put`, both in
// base64), so that three kinds of server meet the same bodies from the same client. Bodies are 32
// unique bytes and then a window of one random pool, so no two are equal, none compresses, and ids
// are computed before the clock starts. Owned by one thread.
#include <openssl/evp.h>

#include <cstdio>
#include <cstring>
#include <exception>
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

constexpr std::size_t kPoolBytes = std::size_t{64} << 20;
constexpr std::size_t kUniqueBytes = 32;
constexpr std::size_t kWindowStep = 1'000'003;  // prime: windows do not line up with any page

enum class Protocol { http, resp, etcd };

struct Prepared {
  std::string head;  // everything before the body
  std::string unique;
  std::string_view rest;
};

std::string random_bytes(std::size_t count, std::mt19937_64& random) {
  std::string bytes((count + 7) / 8 * 8, '\0');
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    const std::uint64_t word = random();
    std::memcpy(bytes.data() + at, &word, 8);
  }
  bytes.resize(count);
  return bytes;
}

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

class Writes : public Workload {
 public:
  Writes(Protocol protocol, std::size_t size, std::size_t count, const std::string& host)
      : protocol_(protocol) {
    std::random_device entropy;
    std::seed_seq seed{entropy(), entropy(), entropy(), entropy()};
    std::mt19937_64 random(seed);
    pool_ = random_bytes(kPoolBytes + size, random);
    Sha256 hasher;
    prepared_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      Prepared next;
      next.unique = random_bytes(std::min(size, kUniqueBytes), random);
      next.rest =
          std::string_view(pool_).substr(i * kWindowStep % kPoolBytes, size - next.unique.size());
      const Digest id = hasher.digest(next.unique, next.rest);
      if (protocol == Protocol::etcd) {
        const std::string body = etcd_body(id, next);
        next = {etcd_head(body.size(), host) + body, {}, {}};
      } else {
        next.head = head(id, size, host);
      }
      prepared_.push_back(std::move(next));
    }
  }

  bool next(std::size_t /*connection*/, Outgoing& out) override {
    if (asked_ == prepared_.size()) return false;
    const Prepared& request = prepared_[asked_++];
    out.add(request.head);
    if (!request.unique.empty()) out.add(request.unique);
    if (!request.rest.empty()) out.add(request.rest);
    if (protocol_ == Protocol::resp) out.add("\r\n");
    return true;
  }

  std::optional<Answer> read(std::size_t /*connection*/, std::string_view buffer) override {
    return protocol_ == Protocol::resp ? read_resp(buffer) : read_http(buffer);
  }

 private:
  std::string head(const Digest& id, std::size_t size, const std::string& host) const {
    const std::string length = std::to_string(size);
    if (protocol_ == Protocol::resp) {
      return "*3\r\n$3\r\nSET\r\n$32\r\n" +
             std::string(reinterpret_cast<const char*>(id.data()), id.size()) + "\r\n$" + length +
             "\r\n";
    }
    return "PUT /v1/blocks/" + hex(id) + " HTTP/1.1\r\nHost: " + host +
           "\r\nContent-Type: application/octet-stream\r\nContent-Length: " + length + "\r\n\r\n";
  }

  static std::string etcd_head(std::size_t size, const std::string& host) {
    return "POST /v3/kv/put HTTP/1.1\r\nHost: " + host +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(size) +
           "\r\n\r\n";
  }

  static std::string etcd_body(const Digest& id, const Prepared& value) {
    const std::string_view key(reinterpret_cast<const char*>(id.data()), id.size());
    std::string whole(value.unique);
    whole.append(value.rest);
    return R"({"key":")" + base64(key) + R"(","value":")" + base64(whole) + "\"}";
  }

  std::optional<Answer> read_http(std::string_view buffer) const {
    const auto answer = read_answer(buffer, Body::skip);
    if (!answer) return std::nullopt;
    // Of a node 200 would mean "held already": every body is new, so that is an error here.
    const int right = protocol_ == Protocol::etcd ? 200 : 201;
    return Answer{answer->total_bytes,
                  answer->status == right ? "" : "status " + std::to_string(answer->status)};
  }

  static std::optional<Answer> read_resp(std::string_view buffer) {
    const std::size_t end = buffer.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = buffer.substr(0, end);
    return Answer{end + 2, line == "+OK" ? "" : std::string(line)};
  }

  Protocol protocol_;
  std::string pool_;
  std::vector<Prepared> prepared_;
  std::size_t asked_ = 0;
};

int run(int argc, char** argv) {
  const Options options(argc, argv,
                        {{"address", "127.0.0.1"},
                         {"port", ""},
                         {"size", "4096"},
                         {"clients", "64"},
                         {"seconds", "3"},
                         {"prepare", "100000"}});
  const std::string& mode = options.mode();
  if (mode != "http" && mode != "resp" && mode != "etcd") {
    throw std::invalid_argument("mode is http, resp or etcd");
  }
  const Protocol protocol = mode == "http"   ? Protocol::http
                            : mode == "resp" ? Protocol::resp
                                             : Protocol::etcd;
  const std::string host = options.text("address") + ":" + options.text("port");
  const std::size_t size = options.number("size");
  Writes writes(protocol, size, options.number("prepare"), host);
  ClosedLoop loop(options.text("address"), static_cast<std::uint16_t>(options.number("port")),
                  options.number("clients"));
  LoadLimits limits;
  limits.seconds = options.decimal("seconds");
  const LoadFigures figures = loop.run(writes, limits);
  const double mb = static_cast<double>(figures.requests * size) / 1e6;
  const std::string extra =
      ",\"mode\":\"" + options.mode() + "\",\"size\":" + std::to_string(size) +
      ",\"clients\":" + options.text("clients") +
      ",\"mb_s\":" + std::to_string(figures.seconds > 0 ? mb / figures.seconds : 0);
  std::puts(figures.json(extra).c_str());
  return figures.errors == 0 && figures.requests > 0 ? 0 : 1;
}

}  // namespace
}  // namespace cairn::bench

int main(int argc, char** argv) {
  try {
    return cairn::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr,
                 "bench_put_load: %s\nusage: bench_put_load http|resp|etcd --port N [--address A] "
                 "[--size BYTES] [--clients N] [--seconds S] [--prepare COUNT]\n",
                 error.what());
    return 2;
  }
}
