#include "node/http/conditional.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "node/http/problem.h"

namespace cairn::http {
namespace {

std::string_view trim_front(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

std::string_view trim(std::string_view text) {
  text = trim_front(text);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// An entity tag apart: the quoted part, and whether it is weak.
struct Tag {
  std::string_view opaque;
  bool weak = false;
};

/// Reads one entity tag from the front of `text` and removes it. Nothing where none stands there.
std::optional<Tag> take_tag(std::string_view& text) {
  Tag tag;
  std::string_view rest = text;
  if (rest.starts_with("W/")) {
    tag.weak = true;
    rest.remove_prefix(2);
  }
  if (!rest.starts_with('"')) return std::nullopt;
  const std::size_t end = rest.find('"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  tag.opaque = rest.substr(0, end + 1);
  const bool valid = std::all_of(tag.opaque.begin(), tag.opaque.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f;
  });
  if (!valid) return std::nullopt;
  text = rest.substr(end + 1);
  return tag;
}

enum class Compare : std::uint8_t { strong, weak };
enum class TagList : std::uint8_t { absent, malformed, match, no_match };

bool equal(const Tag& a, const Tag& b, Compare compare) {
  return a.opaque == b.opaque && (compare == Compare::weak || (!a.weak && !b.weak));
}

/// One field line of If-Match or If-None-Match held against `own`.
TagList match_line(std::string_view list, const Tag& own, Compare compare) {
  list = trim(list);
  if (list == "*") return TagList::match;
  bool found = false;
  bool any = false;
  while (true) {
    list = trim_front(list);
    if (list.empty()) break;
    if (list.front() == ',') {
      list.remove_prefix(1);
      continue;
    }
    const auto tag = take_tag(list);
    if (!tag) return TagList::malformed;
    any = true;
    found = found || equal(*tag, own, compare);
    list = trim_front(list);
    if (!list.empty() && list.front() != ',') return TagList::malformed;
  }
  if (!any) return TagList::malformed;
  return found ? TagList::match : TagList::no_match;
}

/// All lines of the field `name` together: a list may be sent in several (RFC 9110 5.3).
TagList match_field(const Request& request, std::string_view name, std::string_view etag,
                    Compare compare) {
  std::string_view text = etag;
  const auto own = take_tag(text);
  TagList sum = TagList::absent;
  for (const Field& field : request.fields) {
    if (!equals_ignoring_case(field.name, name)) continue;
    const TagList line = match_line(field.value, own.value_or(Tag{}), compare);
    if (line == TagList::malformed) return line;
    if (sum != TagList::match) sum = line;
  }
  return sum;
}

std::optional<std::int64_t> date_field(const Request& request, std::string_view name) {
  const auto value = request.field(name);
  return value ? parse_http_date(trim(*value)) : std::nullopt;
}

bool is_read(Method method) {
  return method == Method::get || method == Method::head;
}

enum class Spec : std::uint8_t { malformed, unsatisfiable, range };

/// True when all of `text` is digits of a number below 2^64.
bool read_number(std::string_view text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

/// One element of a Range field (RFC 9110 14.1.1) against `size`.
Spec parse_spec(std::string_view spec, std::uint64_t size, ByteRange& out) {
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return Spec::malformed;
  const std::string_view first_text = spec.substr(0, dash);
  const std::string_view last_text = spec.substr(dash + 1);
  std::uint64_t first = 0;
  std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  if (first_text.empty()) {
    std::uint64_t suffix = 0;
    if (!read_number(last_text, suffix)) return Spec::malformed;
    if (suffix == 0 || size == 0) return Spec::unsatisfiable;
    out.length = std::min(suffix, size);
    out.first = size - out.length;
    return Spec::range;
  }
  if (!read_number(first_text, first)) return Spec::malformed;
  if (!last_text.empty() && !read_number(last_text, last)) return Spec::malformed;
  if (last < first) return Spec::malformed;
  if (first >= size) return Spec::unsatisfiable;
  out.first = first;
  out.length = std::min(last, size - 1) - first + 1;
  return Spec::range;
}

bool overlapping(std::vector<ByteRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i - 1].first + ranges[i - 1].length > ranges[i].first) return true;
  }
  return false;
}

std::string boundary_of(std::string_view etag) {
  constexpr std::size_t kLongestBoundary = 70;  // RFC 2046 5.1.1
  std::string boundary = "cairn";
  for (const char c : etag) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (plain && boundary.size() < kLongestBoundary) boundary.push_back(c);
  }
  return boundary;
}

void make_multipart(const std::vector<ByteRange>& ranges, std::string_view etag,
                    Response& response) {
  const Piece whole = std::move(response.pieces.front());
  const std::uint64_t size = whole.bytes().size();
  const std::string type(response.fields.find("Content-Type"));
  const std::string boundary = boundary_of(etag);
  response.fields.remove("Content-Type");
  response.fields.add("Content-Type", "multipart/byteranges; boundary=" + boundary);
  response.pieces.clear();
  for (const ByteRange& range : ranges) {
    std::string head = "\r\n--" + boundary + "\r\n";
    if (!type.empty()) head += "Content-Type: " + type + "\r\n";
    head += "Content-Range: " + content_range(range, size) + "\r\n\r\n";
    response.pieces.push_back(Piece::text(std::move(head)));
    response.pieces.push_back(whole.slice(range.first, range.length));
  }
  response.pieces.push_back(Piece::text("\r\n--" + boundary + "--\r\n"));
}

struct CivilDate {
  std::int64_t year = 1970;
  std::int64_t month = 1;  ///< 1 to 12.
  std::int64_t day = 1;    ///< 1 to 31.
};

constexpr std::int64_t kDaySeconds = 86400;
constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar; years begin in March here,
/// so that the leap day is the last of its year.
constexpr std::int64_t days_of(const CivilDate& date) {
  const std::int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t month = (date.month + 9) % 12;
  const std::int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

/// Inverse of days_of.
constexpr CivilDate date_of(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t day_of_era = days - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * day_of_year + 2) / 153;
  CivilDate date;
  date.day = day_of_year - (153 * shifted + 2) / 5 + 1;
  date.month = shifted < 10 ? shifted + 3 : shifted - 9;
  date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

// What a year of four digits can name.
constexpr std::int64_t kFirstSecond = days_of({.year = 0, .month = 1, .day = 1}) * kDaySeconds;
constexpr std::int64_t kLastSecond =
    days_of({.year = 10000, .month = 1, .day = 1}) * kDaySeconds - 1;

void put_digits(char* at, std::int64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

/// The number in `text`, all digits; -1 for anything else.
std::int64_t take_digits(std::string_view text) {
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

Precondition evaluate(const Request& request, const Validators& validators) {
  const TagList if_match = match_field(request, "If-Match", validators.etag, Compare::strong);
  if (if_match == TagList::no_match) return Precondition::failed;
  if (if_match == TagList::absent && validators.modified_s) {
    const auto since = date_field(request, "If-Unmodified-Since");
    if (since && *validators.modified_s > *since) return Precondition::failed;
  }
  const TagList if_none_match =
      match_field(request, "If-None-Match", validators.etag, Compare::weak);
  if (if_none_match == TagList::match) {
    return is_read(request.method) ? Precondition::not_modified : Precondition::failed;
  }
  if (if_none_match == TagList::absent && validators.modified_s && is_read(request.method)) {
    const auto since = date_field(request, "If-Modified-Since");
    if (since && *validators.modified_s <= *since) return Precondition::not_modified;
  }
  return Precondition::proceed;
}

RangeVerdict parse_range(std::string_view value, std::uint64_t size) {
  using Kind = RangeVerdict::Kind;
  const std::size_t equals = value.find('=');
  if (equals == std::string_view::npos || !equals_ignoring_case(value.substr(0, equals), "bytes")) {
    return {};
  }
  std::string_view list = value.substr(equals + 1);
  RangeVerdict verdict;
  std::size_t specs = 0;
  while (true) {
    const std::size_t comma = list.find(',');
    const std::string_view spec = trim(list.substr(0, comma));
    if (!spec.empty()) {  // RFC 9110 5.6.1: empty elements are skipped.
      if (++specs > kMaxRanges) return {};
      ByteRange range;
      const Spec parsed = parse_spec(spec, size, range);
      if (parsed == Spec::malformed) return {};
      if (parsed == Spec::range) verdict.ranges.push_back(range);
    }
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  if (specs == 0 || overlapping(verdict.ranges)) return {};
  verdict.kind = verdict.ranges.empty() ? Kind::unsatisfiable : Kind::partial;
  return verdict;
}

RangeVerdict requested_range(const Request& request, const Validators& validators,
                             std::uint64_t size) {
  if (request.method != Method::get) return {};
  const auto range = request.field("Range");
  if (!range) return {};
  if (const auto if_range = request.field("If-Range")) {
    std::string_view text = trim(*if_range);
    std::string_view own_text = validators.etag;
    const auto tag = take_tag(text);
    const auto own = take_tag(own_text);
    if (!tag || !text.empty() || !own || !equal(*tag, *own, Compare::strong)) return {};
  }
  return parse_range(trim(*range), size);
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.first) + "-" +
         std::to_string(range.first + range.length - 1) + "/" + std::to_string(size);
}

void set_unsatisfiable(std::uint64_t size, Response& response) {
  for (const std::string_view name :
       {"Content-Type", "Cache-Control", "Repr-Digest", "ETag", "Last-Modified", "Content-Encoding",
        "X-Content-Type-Options"}) {
    response.fields.remove(name);
  }
  const std::string kept(response.fields.text());
  const std::string_view answered_by = response.answered_by;
  set_problem(response, {.status = 416,
                         .type = "range-not-satisfiable",
                         .title = "The range asked for lies outside of the content.",
                         .detail = {},
                         .hint = "Content-Range says how long it is."});
  response.answered_by = answered_by;
  response.fields.add_lines(kept);
  response.fields.add("Content-Range", "bytes */" + std::to_string(size));
}

void apply_range(const Request& request, const Validators& validators, Response& response) {
  if (response.status != 200 || response.pieces.size() != 1) return;
  const std::uint64_t size = response.pieces.front().bytes().size();
  const RangeVerdict verdict = requested_range(request, validators, size);
  switch (verdict.kind) {
    case RangeVerdict::Kind::whole: return;
    case RangeVerdict::Kind::unsatisfiable: set_unsatisfiable(size, response); return;
    case RangeVerdict::Kind::partial: break;
  }
  response.status = 206;
  if (verdict.ranges.size() > 1) return make_multipart(verdict.ranges, validators.etag, response);
  const ByteRange range = verdict.ranges.front();
  response.pieces.front() = response.pieces.front().slice(range.first, range.length);
  response.fields.add("Content-Range", content_range(range, size));
}

std::string http_date(std::int64_t seconds) {
  seconds = std::clamp(seconds, kFirstSecond, kLastSecond);
  std::int64_t days = seconds / kDaySeconds;
  std::int64_t in_day = seconds % kDaySeconds;
  if (in_day < 0) {
    in_day += kDaySeconds;
    --days;
  }
  const CivilDate date = date_of(days);
  // 1970-01-01 was a Thursday.
  const auto weekday = static_cast<std::size_t>(((days % 7) + 7 + 4) % 7);
  std::string text = "Thu, 01 Jan 1970 00:00:00 GMT";
  text.replace(0, 3, kDays.substr(weekday * 3, 3));
  put_digits(text.data() + 5, date.day, 2);
  text.replace(8, 3, kMonths.substr(static_cast<std::size_t>(date.month - 1) * 3, 3));
  put_digits(text.data() + 12, date.year, 4);
  put_digits(text.data() + 17, in_day / 3600, 2);
  put_digits(text.data() + 20, in_day / 60 % 60, 2);
  put_digits(text.data() + 23, in_day % 60, 2);
  return text;
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  constexpr std::size_t kLength = 29;
  if (text.size() != kLength) return std::nullopt;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  const CivilDate date{.year = take_digits(text.substr(12, 4)),
                       .month = static_cast<std::int64_t>(month / 3) + 1,
                       .day = take_digits(text.substr(5, 2))};
  const std::int64_t hour = take_digits(text.substr(17, 2));
  const std::int64_t minute = take_digits(text.substr(20, 2));
  const std::int64_t second = take_digits(text.substr(23, 2));
  if (std::min({date.year, date.day, hour, minute, second}) < 0) return std::nullopt;
  const std::int64_t seconds = days_of(date) * kDaySeconds + hour * 3600 + minute * 60 + second;
  // Whatever this reading glossed over (31 February, 25 hours, a wrong weekday, other separators)
  // does not come out the same again.
  if (http_date(seconds) != text) return std::nullopt;
  return seconds;
}

}  // namespace cairn::http
