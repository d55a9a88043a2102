// What the kernel says about this process: memory, descriptors, processor time. Any thread.
#pragma once

#include <cstdint>

namespace cairn {

struct ResourceUse {
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t descriptor_limit = 0;
  std::uint64_t threads = 0;
  double cpu_seconds = 0;
};

/// Reads /proc/self, which is memory and not a disk. What cannot be read stays 0.
ResourceUse read_resource_use();

/// Lets the process have as many descriptors as the system allows it; returns how many that are.
std::uint64_t raise_descriptor_limit();

}  // namespace cairn
