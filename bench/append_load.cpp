// Durable appends: N clients, each extending a chain of its own by one signed link after another
// (`POST /v1/chains/{id}/links`). Chains are created and links signed before the clock starts:
// links are made one after the other and each names the one before it, so nothing of the server's
// is needed for that. Owned by one thread.
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/little_endian.h"
#include "closed_loop.h"
#include "crypto/chain_author.h"
#include "crypto/chain_keys.h"
#include "crypto/link.h"
#include "crypto/manifest.h"
#include "crypto/random.h"
#include "http_answer.h"
#include "options.h"

namespace cairn::bench {
namespace {

template <class T>
T must(Result<T> result) {
  if (result.has_error()) throw std::runtime_error(result.error().detail);
  return std::move(result).value();
}

std::string request_head(const std::string& line, const std::string& host, std::size_t bytes) {
  return line + " HTTP/1.1\r\nHost: " + host +
         "\r\nContent-Type: application/octet-stream\r\nContent-Length: " + std::to_string(bytes) +
         "\r\n\r\n";
}

/// One chain with its links, as requests.
struct Prepared {
  std::string create;
  std::vector<std::string> appends;
  std::size_t asked = 0;
  bool created = false;
};

class Chains : public Workload {
 public:
  Chains(std::size_t clients, std::size_t links, std::size_t payload_bytes,
         const std::string& host) {
    for (std::size_t i = 0; i < clients; ++i) {
      chains_.push_back(prepare(links, payload_bytes, host));
    }
  }

  /// The manifests first, then no more; after begin(), the links.
  void begin() { creating_ = false; }

  bool next(std::size_t connection, Outgoing& out) override {
    Prepared& chain = chains_[connection];
    if (creating_ == chain.created) return false;
    if (creating_) {
      chain.created = true;
      out.add(chain.create);
      return true;
    }
    if (chain.asked == chain.appends.size()) return false;
    out.add(chain.appends[chain.asked++]);
    return true;
  }

  std::optional<Answer> read(std::size_t /*connection*/, std::string_view buffer) override {
    const auto answer = read_answer(buffer, Body::skip);
    if (!answer) return std::nullopt;
    return Answer{answer->total_bytes,
                  answer->status == 201 ? "" : "status " + std::to_string(answer->status)};
  }

 private:
  Prepared prepare(std::size_t links, std::size_t payload_bytes, const std::string& host) {
    const WriteSecret secret = WriteSecret::random(random_);
    const Bytes manifest = new_manifest(secret, Reads::open, random_);
    const ChainId id = chain_id_of(manifest);
    Prepared out;
    out.create = request_head("PUT /v1/chains/" + id.text(), host, manifest.size());
    out.create.append(as_text(manifest));
    ChainState state = ChainState::of(must(parse_manifest(manifest)), id);
    ChainKeys keys(WriteCapability{id, secret});
    keys.begin(state);
    const ChainAuthor author(secret, random_);
    const std::string line = "POST /v1/chains/" + id.text() + "/links";
    out.appends.reserve(links);
    const LinkDraft draft{.payload = Bytes(payload_bytes, 'x')};
    for (std::size_t i = 0; i < links; ++i) {
      const Bytes link = must(author.write(state, keys, {draft})).front();
      state.advance(must(LinkView::parse(link)), link_id_of(link));
      std::string request = request_head(line, host, sizeof(std::uint32_t) + link.size());
      append_le(static_cast<std::uint32_t>(link.size()), request);
      request.append(as_text(link));
      out.appends.push_back(std::move(request));
    }
    return out;
  }

  SystemRandom random_;
  std::vector<Prepared> chains_;
  bool creating_ = true;
};

int run(int argc, char** argv) {
  const Options options(argc, argv,
                        {{"address", "127.0.0.1"},
                         {"port", ""},
                         {"payload", "200"},
                         {"clients", "64"},
                         {"seconds", "3"},
                         {"prepare", "50000"}});
  if (options.mode() != "chains") throw std::invalid_argument("the first argument is chains");
  const std::string host = options.text("address") + ":" + options.text("port");
  const std::size_t clients = options.number("clients");
  Chains chains(clients, options.number("prepare") / clients, options.number("payload"), host);
  ClosedLoop loop(options.text("address"), static_cast<std::uint16_t>(options.number("port")),
                  clients);
  LoadLimits limits;
  limits.seconds = options.decimal("seconds");
  const LoadFigures created = loop.run(chains, limits);
  if (created.errors > 0) throw std::runtime_error("no chain made: " + created.first_error);
  chains.begin();
  const LoadFigures figures = loop.run(chains, limits);
  const std::string extra = ",\"mode\":\"chains\",\"payload\":" + options.text("payload") +
                            ",\"clients\":" + options.text("clients");
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
                 "bench_append_load: %s\nusage: bench_append_load chains --port N [--address A] "
                 "[--payload BYTES] [--clients N] [--seconds S] [--prepare LINKS]\n",
                 error.what());
    return 2;
  }
}
