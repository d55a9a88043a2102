#include "node/http/response.h"

namespace cairn::http {

const void* Piece::owner() const {
  if (const auto* block = std::get_if<Block>(&owner_)) return block->bytes().data();
  const auto* shared = std::get_if<std::shared_ptr<const void>>(&owner_);
  return shared != nullptr ? shared->get() : nullptr;
}

Piece Piece::slice(std::size_t first, std::size_t length) const {
  const ByteView part = bytes().subspan(first, length);
  // A text lives inside its piece, so a part of it needs its own copy.
  const bool copied = length <= kSliceCopyBytes || std::holds_alternative<std::string>(owner_);
  if (copied) return text(std::string(as_text(part)));
  return Piece(owner_, part, kept_bytes_);
}

void Response::clear() {
  status = 200;
  fields.clear();
  pieces.clear();
  source.reset();
  close = false;
  head_length.reset();
  answered_by = {};
}

std::uint64_t Response::pieces_bytes() const {
  std::uint64_t sum = 0;
  for (const Piece& piece : pieces) sum += piece.bytes().size();
  return sum;
}

void Response::set_text(std::uint16_t new_status, std::string_view content_type, std::string text) {
  clear();
  status = new_status;
  fields.add("Content-Type", content_type);
  pieces.push_back(Piece::text(std::move(text)));
}

std::string_view reason_phrase(std::uint16_t status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 424: return "Failed Dependency";
    case 425: return "Too Early";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "";
  }
}

}  // namespace cairn::http
