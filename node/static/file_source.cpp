#include "node/static/file_source.h"

#include <algorithm>

namespace cairn::site {

FileSource::FileSource(std::shared_ptr<const OpenFile> file, std::uint64_t first,
                       std::uint64_t length, BlockingPool& pool, const Clock& clock,
                       std::chrono::milliseconds deadline, std::size_t piece_bytes,
                       ByteBudget::Share share)
    : pool_(pool),
      clock_(clock),
      deadline_(deadline),
      length_(length),
      piece_bytes_(piece_bytes),
      at_(first),
      left_(length),
      buffer_(std::make_shared<Buffer>()) {
  buffer_->file = std::move(file);
  buffer_->share = std::move(share);
  buffer_->bytes = std::make_unique_for_overwrite<std::uint8_t[]>(piece_bytes_);
}

Task<Result<ByteView>> FileSource::next() {
  if (left_ == 0) co_return ByteView{};
  const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes_, left_));
  std::size_t got = buffer_->file->read_at_hand(at_, {buffer_->bytes.get(), want});
  if (got == 0) {
    auto read = [buffer = buffer_, at = at_, want] {
      return buffer->file->read(at, {buffer->bytes.get(), want});
    };
    const Result<std::size_t> answer = co_await pool_.run(std::move(read), clock_.in(deadline_));
    if (!answer) co_return answer.error();
    got = answer.value();
  }
  // A part must never pass for the whole, nor two versions for one.
  if (got == 0) co_return fail(Errc::unavailable, "the file was cut while it was sent");
  if (!buffer_->file->unchanged()) {
    co_return fail(Errc::unavailable, "the file was changed while it was sent");
  }
  at_ += got;
  left_ -= got;
  co_return ByteView(buffer_->bytes.get(), got);
}

}  // namespace cairn::site
