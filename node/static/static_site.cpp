#include "node/static/static_site.h"

#include <algorithm>

#include "node/http/conditional.h"
#include "node/static/file_source.h"
#include "node/static/site_headers.h"
#include "node/static/url_path.h"

namespace cairn::site {
namespace {

constexpr std::string_view kMethods = "GET, HEAD, OPTIONS";

constexpr http::Problem kMethodNotAllowed{.status = 405,
                                          .type = "method-not-allowed",
                                          .title = "Files are only read.",
                                          .detail = {},
                                          .hint = "Allow names the methods that are taken."};
constexpr http::Problem kPreconditionFailed{
    .status = 412,
    .type = "precondition-failed",
    .title = "A condition of the request does not hold.",
    .detail = {},
    .hint = "HEAD tells the present ETag and Last-Modified."};
constexpr http::Problem kBadPath{.status = 400,
                                 .type = "bad-path",
                                 .title = "The path cannot be redirected.",
                                 .detail = {},
                                 .hint = "Ask for the folder with a / at its end."};
constexpr http::Problem kUnavailable{.status = 503,
                                     .type = "unavailable",
                                     .title = "The file cannot be read just now.",
                                     .detail = {},
                                     .hint = "Try again after the time that Retry-After says."};
constexpr http::Problem kOverloaded{.status = 503,
                                    .type = "overloaded",
                                    .title = "Too much is being sent just now.",
                                    .detail = {},
                                    .hint = "Try again after the time that Retry-After says."};

bool is_read(http::Method method) {
  return method == http::Method::get || method == http::Method::head;
}

/// Whether the answer may depend on more than the path and Accept-Encoding.
bool has_conditions(const http::Request& request) {
  for (const http::Field& field : request.fields) {
    if (field.name.size() < 5) continue;
    const char first = field.name.front();
    if ((first == 'I' || first == 'i') && (field.name[1] == 'f' || field.name[1] == 'F') &&
        field.name[2] == '-') {
      return true;
    }
    if (http::equals_ignoring_case(field.name, "Range")) return true;
  }
  return false;
}

}  // namespace

StaticSite::StaticSite(FileCache& cache, BlockingPool& pool, ByteBudget& buffers,
                       const Clock& clock, StaticSiteOptions options)
    : cache_(cache),
      pool_(pool),
      buffers_(buffers),
      clock_(clock),
      site_(cache.add_site()),
      spa_(options.spa),
      deadline_(options.deadline) {
  SiteHeaders headers = make_site_headers(options.headers);
  common_fields_ = headers.lines;
  files_ = std::make_shared<const SiteFiles>(
      SiteFilesOptions{.root = std::move(options.root),
                       .index = std::move(options.index),
                       .common_fields = std::move(headers.lines),
                       .cache_control = std::move(headers.cache_control),
                       .content_hash = std::move(options.content_hash),
                       .largest_held_bytes = cache.largest_held_bytes()});
}

bool StaticSite::try_handle(const http::Request& request, http::Response& response) {
  if (!is_read(request.method)) return false;
  // Keys are decoded paths; a raw one without an escape is its own decoded form, or no key at all.
  if (request.path.find('%') != std::string_view::npos) return false;
  const PagePtr page = cache_.find(site_, request.path);
  // What is read while it is sent is nothing to answer at once with.
  if (!page || !page->all_in_memory || !page->may_answer(request.received)) return false;
  answer_page(request, page, response);
  return true;
}

Task<void> StaticSite::handle(const http::Request& request, http::BodyReader&,
                              http::Response& response) {
  if (request.method == http::Method::options) {
    response.status = 204;
    response.answered_by = "static";
    response.fields.add("Allow", kMethods);
    co_return;
  }
  if (!is_read(request.method)) {
    refuse(kMethodNotAllowed, response);
    response.fields.add("Allow", kMethods);
    co_return;
  }
  if (auto path = decode_path(request.path)) {
    co_return co_await answer_path(request, std::move(*path), response);
  }
  co_await answer_missing(request, response);
}

Task<Result<LookUp>> StaticSite::find(std::string path, MonoTime now) {
  PagePtr known = cache_.find(site_, path);
  if (known && known->age(now) <= kRecheckAfter && known->is_intact()) {
    co_return LookUp{.kind = LookUp::Kind::unchanged, .page = std::move(known)};
  }
  auto look = [files = files_, path, known, clock = &clock_] {
    return files->look_up(path, known, *clock);
  };
  Result<LookUp> found = co_await pool_.run(std::move(look), clock_.in(deadline_));
  if (found && found.value().kind == LookUp::Kind::page) {
    cache_.put(site_, path, found.value().page);
  } else if (known && !(found && found.value().kind == LookUp::Kind::unchanged)) {
    known->being_checked.store(false, std::memory_order_relaxed);
    const bool busy = !found && found.error().code != Errc::not_found;
    if (!busy) cache_.drop(site_, path);
  }
  co_return found;
}

Task<void> StaticSite::answer_path(const http::Request& request, std::string path,
                                   http::Response& response) {
  const bool may_fall_back = spa_ && last_segment(path).find('.') == std::string_view::npos;
  Result<LookUp> found = co_await find(std::move(path), request.received);
  const bool missing = !found && found.error().code == Errc::not_found;
  if (!missing || !may_fall_back) co_return co_await answer_found(request, found, response);
  if (takes_html(request)) found = co_await find("/", request.received);
  co_await answer_found(request, found, response);
  response.fields.add_lines("Vary: Accept\r\n");
}

Task<void> StaticSite::answer_found(const http::Request& request, const Result<LookUp>& found,
                                    http::Response& response) {
  if (!found) {
    if (found.error().code == Errc::not_found) {
      co_return co_await answer_missing(request, response);
    }
    co_return refuse(kUnavailable, response);
  }
  if (found.value().kind == LookUp::Kind::redirect) co_return redirect(request, response);
  answer_page(request, found.value().page, response);
}

Task<void> StaticSite::answer_missing(const http::Request& request, http::Response& response) {
  const Result<LookUp> own = co_await find("/404.html", request.received);
  response.status = 404;
  response.answered_by = "static";
  if (own && own.value().page && own.value().page->variant(Encoding::identity).in_memory()) {
    const PagePtr& page = own.value().page;
    const Variant& variant = page->variant(Encoding::identity);
    response.fields.add_lines(variant.head);
    for (const std::string_view name : {"ETag", "Last-Modified", "Accept-Ranges", "Vary"}) {
      response.fields.remove(name);
    }
    response.pieces.push_back(http::Piece::shared(page, variant.content(), page->cost_bytes));
    co_return;
  }
  response.set_text(404, "text/plain; charset=utf-8", "There is nothing here.\n");
  response.answered_by = "static";
  response.fields.add_lines("Cache-Control: no-cache\r\n");
  response.fields.add_lines(common_fields_);
}

void StaticSite::answer_page(const http::Request& request, const PagePtr& page,
                             http::Response& response) const {
  const Encoding encoding =
      page->has_siblings ? choose_encoding(request, page->available) : Encoding::identity;
  const Variant& variant = page->variant(encoding);
  const bool conditions = has_conditions(request);
  const http::Validators validators{.etag = variant.etag, .modified_s = page->modified_s};
  const http::Precondition verdict =
      conditions ? http::evaluate(request, validators) : http::Precondition::proceed;
  if (verdict == http::Precondition::failed) {
    return refuse(kPreconditionFailed, response);
  }
  response.answered_by = "static";
  response.fields.add_lines(variant.head);
  if (verdict == http::Precondition::not_modified) {
    response.status = 304;
    return;
  }
  if (request.method == http::Method::head) {
    response.head_length = variant.size_bytes();
    return;
  }
  if (!variant.in_memory()) return answer_large(request, variant, response);
  response.pieces.push_back(http::Piece::shared(page, variant.content(), page->cost_bytes));
  if (conditions) http::apply_range(request, validators, response);
}

void StaticSite::answer_large(const http::Request& request, const Variant& variant,
                              http::Response& response) const {
  const std::uint64_t size = variant.size_bytes();
  const http::RangeVerdict verdict = http::requested_range(request, {.etag = variant.etag}, size);
  if (verdict.kind == http::RangeVerdict::Kind::unsatisfiable) {
    http::set_unsatisfiable(size, response);
    return;
  }
  http::ByteRange range{.first = 0, .length = size};
  // Several ranges of a large file are not worth their code: the whole is a right answer too.
  const bool partial =
      verdict.kind == http::RangeVerdict::Kind::partial && verdict.ranges.size() == 1;
  if (partial) range = verdict.ranges.front();
  // Half of the memory is for small pieces: a few hundred readers that stall do not take all of it.
  const bool plentiful = buffers_.used_bytes() < buffers_.limit_bytes() / 2;
  const std::size_t piece_bytes = static_cast<std::size_t>(std::min<std::uint64_t>(
      plentiful ? FileSource::kPieceBytes : FileSource::kSmallPieceBytes, range.length));
  ByteBudget::Share share = buffers_.take(piece_bytes);
  if (!share) return refuse(kOverloaded, response);
  if (partial) {
    response.status = 206;
    response.fields.add("Content-Range", http::content_range(range, size));
  }
  response.source = std::make_unique<FileSource>(variant.file, range.first, range.length, pool_,
                                                 clock_, deadline_, piece_bytes, std::move(share));
}

void StaticSite::redirect(const http::Request& request, http::Response& response) const {
  // The path begins with exactly one '/' and has no backslash (url_path.h), so that no browser can
  // take it for another host; it is sent back as it came, escapes and all.
  std::string location(request.path);
  location += '/';
  if (!request.query.empty()) location.append("?").append(request.query);
  response.status = 308;
  response.answered_by = "static";
  if (!response.fields.add("Location", location)) {
    return refuse(kBadPath, response);
  }
  response.fields.add_lines("Cache-Control: no-cache\r\n");
  response.fields.add_lines(common_fields_);
}

void StaticSite::refuse(const http::Problem& problem, http::Response& response) const {
  http::set_problem(response, problem);
  response.fields.remove("X-Content-Type-Options");  // Stands among the common fields too.
  response.fields.add_lines(common_fields_);
  if (problem.status == 503) response.fields.add_lines("Retry-After: 1\r\n");
  response.answered_by = "static";
}

}  // namespace cairn::site
