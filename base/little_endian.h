// Fixed-width little-endian integers, as every format of the project has them. Plain functions.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cairn {

template <std::unsigned_integral T>
void store_le(T value, std::uint8_t* out) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out[i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

template <std::unsigned_integral T>
T load_le(const std::uint8_t* in) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | (static_cast<T>(in[i]) << (8 * i)));
  }
  return value;
}

/// `out` is a std::string or Bytes.
template <std::unsigned_integral T, class Out>
void append_le(T value, Out& out) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<typename Out::value_type>(value >> (8 * i)));
  }
}

/// Takes a T off the head of `in`. False, and nothing taken, when `in` is too short.
template <std::unsigned_integral T>
[[nodiscard]] bool take_le(std::string_view& in, T& value) {
  if (in.size() < sizeof(T)) return false;
  value = load_le<T>(reinterpret_cast<const std::uint8_t*>(in.data()));
  in.remove_prefix(sizeof(T));
  return true;
}

}  // namespace cairn
