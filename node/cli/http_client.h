// A small HTTP/1.1 client for the command line: one kept-alive connection, whole bodies in memory,
// a deadline on every step that moves bytes. Lives on the loop that runs it.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/task.h"

namespace cairn::cli {

/// "http://host[:port]" taken apart.
struct ServerAddress {
  std::string host;
  std::string port = "80";
  std::string authority;  ///< As it goes into Host.
};

/// Errors: malformed, in words for a person (https, a path, no scheme).
Result<ServerAddress> parse_server(std::string_view url);

struct Reply {
  unsigned status = 0;
  boost::beast::http::fields fields;
  Bytes body;

  std::string_view field(std::string_view name) const;
  /// The problem document's detail (or title), else the status; for messages.
  std::string words() const;
};

struct Call {
  boost::beast::http::verb method = boost::beast::http::verb::get;
  std::string target;
  std::string content_type;
  Bytes body;
  std::vector<std::pair<std::string, std::string>> fields{};  ///< Further ones, by name.
};

class HttpClient {
 public:
  /// `server` outlives the client; nothing is connected before the first send(). A connection on
  /// which no byte moves for `stall` is given up, and so is a call after half an hour.
  HttpClient(Executor executor, const ServerAddress& server,
             std::chrono::milliseconds stall = std::chrono::minutes(1));

  /// Sends `call` and reads the whole answer. A kept connection that the server has closed
  /// meanwhile is opened again once. `call` outlives the Task. Errors: unavailable (cannot connect,
  /// broken, stalled), malformed (not HTTP, too large).
  Task<Result<Reply>> send(const Call& call);

 private:
  using Stream = boost::beast::basic_stream<boost::asio::ip::tcp, Executor>;

  Task<Result<void>> connect();
  Task<Result<Reply>> exchange(const Call& call);
  /// Until the next byte.
  void set_deadline();
  template <class Message>
  Task<boost::beast::error_code> write(Message& message);
  template <class Parser>
  Task<boost::beast::error_code> read(Parser& parser);

  Executor executor_;
  const ServerAddress& server_;
  const std::chrono::milliseconds stall_;
  std::unique_ptr<Stream> stream_;
  std::chrono::steady_clock::time_point give_up_at_{};  ///< Of the call under way.
  boost::beast::flat_buffer buffer_;
  bool used_ = false;  ///< The connection has answered before.
};

}  // namespace cairn::cli
