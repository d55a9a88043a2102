// cairn_vectors DIR writes the golden vectors; cairn_vectors --check DIR says whether the files
// there are what it would write. One thread.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "json_text.h"

namespace {

struct VectorFile {
  std::string_view name;
  std::string (*make)();
};

constexpr VectorFile kFiles[] = {
    {"ids.json", cairn::vectors::id_vectors},
    {"keys.json", cairn::vectors::key_vectors},
    {"seal.json", cairn::vectors::seal_vectors},
    {"ed25519.json", cairn::vectors::sign_vectors},
    {"capability.json", cairn::vectors::capability_vectors},
    {"chain.json", cairn::vectors::chain_vectors},
    {"account.json", cairn::vectors::account_vectors},
    {"receipts.json", cairn::vectors::receipt_vectors},
};

bool equals(const std::string& path, const std::string& expected) {
  std::ifstream in(path, std::ios::binary);
  const std::string held((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (held == expected) return true;
  std::fprintf(stderr, "%s is not what cairn_vectors makes\n", path.c_str());
  return false;
}

bool write(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out) return true;
  std::fprintf(stderr, "cannot write %s\n", path.c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const bool check = argc == 3 && std::string_view(argv[1]) == "--check";
  if (!check && argc != 2) {
    std::fprintf(stderr, "usage: cairn_vectors [--check] DIR\n");
    return 2;
  }
  const std::string directory = argv[argc - 1];
  bool good = true;
  for (const VectorFile& file : kFiles) {
    const std::string path = directory + "/" + std::string(file.name);
    good = (check ? equals(path, file.make()) : write(path, file.make())) && good;
  }
  return good ? 0 : 1;
}
