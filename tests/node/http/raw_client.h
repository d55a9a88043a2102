// A blocking client on a raw loopback socket: sends exact bytes, reads with a deadline.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace cairn::http {

class RawClient {
 public:
  explicit RawClient(const std::string& bound) {
    const auto port = static_cast<std::uint16_t>(std::stoi(bound.substr(bound.rfind(':') + 1)));
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(fd_); }

  bool connected() const { return connected_; }

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;  // The server may have closed already; what it answered tells.
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void finish_sending() const { ::shutdown(fd_, SHUT_WR); }

  /// Reads up to `text` inclusive; what has come when the connection ends or 20 s pass otherwise.
  std::string read_until(std::string_view text) {
    while (buffer_.find(text) == std::string::npos && more()) {
    }
    const std::size_t at = buffer_.find(text);
    return take(at == std::string::npos ? buffer_.size() : at + text.size());
  }

  std::string read_exactly(std::size_t count) {
    while (buffer_.size() < count && more()) {
    }
    return take(std::min(count, buffer_.size()));
  }

  /// Everything until the server closes.
  std::string read_all() {
    while (more()) {
    }
    return take(buffer_.size());
  }

  /// A whole answer with Content-Length.
  std::string read_answer() {
    std::string head = read_until("\r\n\r\n");
    const std::size_t at = head.find("Content-Length: ");
    const std::size_t size =
        at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 16, nullptr, 10);
    return head + read_exactly(size);
  }

  /// True when the last read ended by a reset rather than an orderly close.
  bool was_reset() const { return reset_; }
  bool closed() const { return closed_; }

 private:
  std::string take(std::size_t count) {
    std::string out = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return out;
  }

  bool more() {
    if (closed_) return false;
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, 20'000) <= 0) {
      ADD_FAILURE() << "no answer within 20 s; have: " << buffer_.substr(0, 500);
      closed_ = true;
      return false;
    }
    char chunk[65536];
    const ssize_t count = ::recv(fd_, chunk, sizeof chunk, 0);
    if (count > 0) {
      buffer_.append(chunk, static_cast<std::size_t>(count));
      return true;
    }
    reset_ = count < 0;
    closed_ = true;
    return false;
  }

  int fd_ = -1;
  bool connected_ = false;
  bool closed_ = false;
  bool reset_ = false;
  std::string buffer_;
};

}  // namespace cairn::http
