#include "node/api/chain_answers.h"

#include "base/bytes.h"
#include "node/api/frames.h"

namespace cairn::api {
namespace {

void append_member(std::string& out, std::string_view name, std::uint64_t value) {
  out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

void append_member(std::string& out, std::string_view name, const std::string& value) {
  out.append(",\"").append(name).append("\":\"").append(value).append("\"");
}

void open_with_chain(std::string& out, const ChainId& chain) {
  out.append("{\"chain\":\"").append(chain.text()).append("\"");
}

}  // namespace

std::string head_json(const ChainHead& head) {
  std::string out;
  open_with_chain(out, head.chain);
  append_member(out, "seq", head.seq);
  append_member(out, "link", head.link.text());
  append_member(out, "epoch", head.epoch);
  append_member(out, "trimmed_before", head.first_kept);
  append_member(out, "rotated_at", head.rotated_at);
  if (head.removed) out.append(",\"deleted\":true");
  return out.append("}");
}

std::string page_members(const LinkPage& page) {
  std::string out = "\"head\":";
  out.append(head_json(page.head)).append(",\"links\":[");
  for (const Bytes& link : page.links) {
    if (out.back() != '[') out.push_back(',');
    out.push_back('"');
    out.append(to_base64url(link)).push_back('"');
  }
  return out.append("]");
}

std::string page_frames(const LinkPage& page) {
  std::string out;
  std::size_t size = 0;
  for (const Bytes& link : page.links) size += kFrameLengthBytes + link.size();
  out.reserve(size);
  for (const Bytes& link : page.links) {
    out.append(as_text(frame_length_bytes(static_cast<std::uint32_t>(link.size()))));
    out.append(as_text(link));
  }
  return out;
}

std::string receipt_json(const Receipt& receipt, const ReceiptKey& key) {
  std::string out;
  open_with_chain(out, receipt.chain);
  append_member(out, "seq", receipt.seq);
  append_member(out, "link", receipt.link.text());
  append_member(out, "epoch", receipt.epoch);
  append_member(out, "time", static_cast<std::uint64_t>(receipt.time));
  append_member(out, "node", to_base64url(key.public_key().bytes));
  append_member(out, "signature", to_base64url(key.sign(receipt).bytes));
  return out.append("}");
}

void append_link_event(std::uint64_t seq, ByteView link, std::string& out) {
  out.append("id: ").append(std::to_string(seq)).append("\nevent: link\ndata: ");
  out.append(to_base64url(link)).append("\n\n");
}

void append_resync_event(const ChainHead& head, std::string& out) {
  out.append("id: ").append(std::to_string(head.seq)).append("\nevent: resync\ndata: ");
  out.append(head_json(head)).append("\n\n");
}

}  // namespace cairn::api
