// What storage alone does, without HTTP: durable puts, the start of a full store, reads of blocks
// that nothing has in memory. Needs a directory on the disk to be measured; removes what it made.
//   bench_storage put  DIR SIZE CLIENTS SECONDS    puts of new blocks, CLIENTS under way at once
//   bench_storage fill DIR COUNT SIZE              COUNT blocks, then keeps the store
//   bench_storage cold DIR COUNT SIZE READS        opens the store, reads READS of them one by one
//   bench_storage idle DIR                         resident memory of an open empty store
#include "storage/storage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "crypto/random.h"

namespace {

using cairn::Block;
using cairn::IoContext;
using cairn::Storage;
using cairn::Task;

double seconds_since(cairn::MonoTime begin, const cairn::Clock& clock) {
  return std::chrono::duration<double>(clock.mono() - begin).count();
}

/// Different for each number, and not to be compressed.
Block block_of(std::uint64_t number, std::size_t size) {
  cairn::Bytes bytes(size);
  std::uint64_t state = number * 0x9E3779B97F4A7C15U + 1;
  for (std::size_t at = 0; at < size; at += 8) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    std::memcpy(bytes.data() + at, &state, std::min<std::size_t>(8, size - at));
  }
  return Block::copy_of(cairn::block_id_of(bytes), bytes);
}

std::uint64_t resident_kib(const char* field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::stoull(line.substr(line.find_first_of("0123456789")));
  }
  return 0;
}

struct World {
  explicit World(const std::string& directory) {
    options.directory = directory;
    options.node_name = "bench";
    options.scrub_bytes_per_second = 0;
  }
  void open() {
    const auto begin = clock.mono();
    auto opened = Storage::open(options, clock, random, log);
    if (opened.has_error()) throw std::runtime_error(opened.error().detail);
    storage = std::move(opened).value();
    opened_in = seconds_since(begin, clock);
  }
  cairn::SystemClock clock;
  cairn::SystemRandom random;
  cairn::NullLog log;
  cairn::StorageOptions options;
  std::unique_ptr<Storage> storage;
  double opened_in = 0;
};

void print_latency(const char* what, std::vector<double>& us) {
  std::ranges::sort(us);
  std::printf("%s p50 %.0f us, p99 %.0f us, p99.9 %.0f us, max %.1f ms\n", what, us[us.size() / 2],
              us[us.size() * 99 / 100], us[us.size() * 999 / 1000], us.back() / 1000);
}

Task<void> put_client(World& world, std::vector<Block>& ready, cairn::MonoTime end,
                      std::vector<double>& us) {
  while (!ready.empty() && world.clock.mono() < end) {
    Block block = std::move(ready.back());
    ready.pop_back();
    const auto begin = world.clock.mono();
    const auto stored = co_await world.storage->blocks().put(
        std::move(block), world.clock.in(std::chrono::seconds(30)));
    if (stored.has_error()) throw std::runtime_error(stored.error().detail);
    us.push_back(seconds_since(begin, world.clock) * 1e6);
  }
}

/// Blocks are made beforehand, so that making them is not measured: rounds of at most 1 GiB.
int put(World& world, std::size_t size, int clients, double seconds) {
  world.open();
  std::vector<double> us;
  double busy = 0;
  std::uint64_t number = 0;
  while (busy < seconds) {
    std::vector<Block> ready;
    const std::size_t count = std::clamp<std::size_t>((std::size_t{1} << 30) / size, 64, 100'000);
    for (std::size_t i = 0; i < count; ++i) ready.push_back(block_of(++number, size));
    IoContext io{1};
    const auto begin = world.clock.mono();
    const auto end =
        begin + std::chrono::nanoseconds(static_cast<std::int64_t>((seconds - busy) * 1e9));
    for (int i = 0; i < clients; ++i) {
      boost::asio::co_spawn(io, put_client(world, ready, end, us), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
      });
    }
    io.run();
    busy += seconds_since(begin, world.clock);
  }
  const auto stats = world.storage->stats();
  const auto count = static_cast<double>(us.size());
  std::printf("put %zu B, %d clients: %.0f/s, %.1f MB/s, %.1f a batch\n", size, clients,
              count / busy, count * static_cast<double>(size) / busy / 1e6,
              count / static_cast<double>(stats.write_batches));
  print_latency("  latency", us);
  world.storage.reset();
  std::filesystem::remove_all(world.options.directory);
  return 0;
}

Task<void> fill_client(World& world, std::uint64_t& next, std::uint64_t count, std::size_t size) {
  while (next < count) {
    std::vector<Block> blocks;
    for (int i = 0; i < 256 && next < count; ++i) blocks.push_back(block_of(++next, size));
    const auto results = co_await world.storage->blocks().put_many(
        std::move(blocks), world.clock.in(std::chrono::seconds(60)));
    for (const auto& result : results) {
      if (result.has_error()) throw std::runtime_error(result.error().detail);
    }
  }
}

int fill(World& world, std::uint64_t count, std::size_t size) {
  world.open();
  IoContext io{1};
  std::uint64_t next = 0;
  const auto begin = world.clock.mono();
  for (int i = 0; i < 16; ++i) {
    boost::asio::co_spawn(io, fill_client(world, next, count, size), [](std::exception_ptr e) {
      if (e) std::rethrow_exception(e);
    });
  }
  io.run();
  const double took = seconds_since(begin, world.clock);
  const auto stats = world.storage->stats();
  std::printf("fill %llu blocks of %zu B: %.1f s, %.0f/s, resident %llu MiB (peak %llu MiB)\n",
              static_cast<unsigned long long>(count), size, took, static_cast<double>(count) / took,
              static_cast<unsigned long long>(resident_kib("VmRSS") / 1024),
              static_cast<unsigned long long>(resident_kib("VmHWM") / 1024));
  std::printf("  tables %.1f MiB, blobs %.1f MiB, about %llu blocks\n",
              static_cast<double>(stats.table_bytes) / 1048576.0,
              static_cast<double>(stats.blob_bytes) / 1048576.0,
              static_cast<unsigned long long>(stats.blocks));
  return 0;
}

Task<void> read_cold(World& world, std::uint64_t count, std::size_t size, int reads,
                     std::vector<double>& us) {
  std::mt19937_64 numbers(world.random.next_u64());
  for (int i = 0; i < reads; ++i) {
    const Block expected = block_of(1 + numbers() % count, size);
    const auto begin = world.clock.mono();
    const auto found = co_await world.storage->blocks().get(
        expected.id(), world.clock.in(std::chrono::seconds(30)));
    us.push_back(seconds_since(begin, world.clock) * 1e6);
    if (found.has_error()) throw std::runtime_error(found.error().detail);
  }
}

int cold(World& world, std::uint64_t count, std::size_t size, int reads) {
  world.open();
  std::printf("open: %.3f s\n", world.opened_in);
  std::vector<double> us;
  IoContext io{1};
  boost::asio::co_spawn(io, read_cold(world, count, size, reads, us), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  io.run();
  print_latency("cold get", us);
  const auto stats = world.storage->stats();
  std::printf("  resident %llu MiB, RocksDB cache %.1f MiB, read at once %llu, waited %llu\n",
              static_cast<unsigned long long>(resident_kib("VmRSS") / 1024),
              static_cast<double>(stats.cache_used_bytes) / 1048576.0,
              static_cast<unsigned long long>(stats.reads_at_once),
              static_cast<unsigned long long>(stats.reads_waited));
  return 0;
}

int idle(World& world) {
  const std::uint64_t before = resident_kib("VmRSS");
  world.open();
  std::printf("open empty store: %.3f s, resident %.1f MiB, %.1f MiB before\n", world.opened_in,
              static_cast<double>(resident_kib("VmRSS")) / 1024,
              static_cast<double>(before) / 1024);
  return 0;
}

int usage() {
  std::fputs("usage: bench_storage put|fill|cold|idle DIR ...; see the head of storage.cpp\n",
             stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 2) return usage();
  try {
    World world(words[1]);
    if (words[0] == "put" && words.size() == 5) {
      return put(world, std::stoull(words[2]), std::stoi(words[3]), std::stod(words[4]));
    }
    if (words[0] == "fill" && words.size() == 4) {
      return fill(world, std::stoull(words[2]), std::stoull(words[3]));
    }
    if (words[0] == "cold" && words.size() == 5) {
      return cold(world, std::stoull(words[2]), std::stoull(words[3]), std::stoi(words[4]));
    }
    if (words[0] == "idle") return idle(world);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_storage: %s\n", error.what());
    return 1;
  }
  return usage();
}
