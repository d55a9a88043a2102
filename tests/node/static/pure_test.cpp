// The pure parts: paths, names, encodings, headers.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "node/static/encoding.h"
#include "node/static/naming.h"
#include "node/static/site_headers.h"
#include "node/static/url_path.h"
#include "tests/node/http/requests.h"

namespace cairn::site {
namespace {

TEST(DecodePath, PlainPathsAreDecodedOnce) {
  EXPECT_EQ(decode_path("/"), "/");
  EXPECT_EQ(decode_path("/a/b.txt"), "/a/b.txt");
  EXPECT_EQ(decode_path("/a/"), "/a/");
  EXPECT_EQ(decode_path("/with%20space"), "/with space");
  EXPECT_EQ(decode_path("/%c3%BC"), "/\xc3\xbc");
  EXPECT_EQ(decode_path("/percent%2541"), "/percent%41");
  EXPECT_EQ(decode_path("/a..b/c..."), "/a..b/c...");
  EXPECT_EQ(decode_path("/.well-known/x"), "/.well-known/x");
  EXPECT_EQ(decode_path("/" + std::string(255, 'a')), "/" + std::string(255, 'a'));
}

// Bad-input row 14.
TEST(DecodePath, AnythingElseIsRefused) {
  for (const std::string_view raw : {"",
                                     "a",
                                     "//",
                                     "//a",
                                     "/a//b",
                                     "/a//",
                                     "/..",
                                     "/../",
                                     "/.",
                                     "/./a",
                                     "/a/..",
                                     "/a/../b",
                                     "/%2e%2e/a",
                                     "/.%2e/a",
                                     "/%2E./a",
                                     "/a%2fb",
                                     "/%2F",
                                     "/a%5cb",
                                     "/a\\b",
                                     "/a%00",
                                     "/a%0a",
                                     "/a%0D",
                                     "/a%7f",
                                     "/a%1f",
                                     "/%",
                                     "/%4",
                                     "/%zz",
                                     "/a%",
                                     "/%u002e",
                                     "/%c0%ae%c0%ae/a",
                                     "/%e0%80%ae",
                                     "/%c0%af",
                                     "/%ff",
                                     "/%ed%a0%80",
                                     "/%c3",
                                     "/.env",
                                     "/%2eenv",
                                     "/a/.hidden",
                                     "/.git/config",
                                     "/.well-known/.x",
                                     "/.well-knownx",
                                     "/a/.well-known",
                                     "/..%00",
                                     "/...",
                                     "/.well-known/../a"}) {
    EXPECT_EQ(decode_path(raw), std::nullopt) << raw;
  }
  EXPECT_EQ(decode_path("/" + std::string(256, 'a')), std::nullopt);
  std::string deep;
  for (int i = 0; i < 2001; ++i) deep += "/a";
  EXPECT_EQ(decode_path(deep), std::nullopt);
}

TEST(DecodePath, WhateverIsTakenIsHarmless) {
  rc::check("a decoded path has plain segments only", [] {
    const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "/", "/", ".", "..", "%2e", "%2f", "%5c", "%25", "%00", "%c0", "%ae", "a", "\\", "%", "2e",
        ".well-known", "\xc3\xbc", "\x01"));
    std::string raw = "/";
    for (const std::string& part : parts) raw += part;
    const auto path = decode_path(raw);
    if (!path) return;
    RC_ASSERT(path->front() == '/');
    RC_ASSERT(path->find("//") == std::string::npos);
    RC_ASSERT(path->find('\\') == std::string::npos);
    const std::size_t dot = path->find("/.");
    RC_ASSERT(dot == std::string::npos || (dot == 0 && path->starts_with("/.well-known")));
    RC_ASSERT(dot == std::string::npos || path->find("/.", 1) == std::string::npos);
  });
}

TEST(MediaType, ExtensionDecides) {
  EXPECT_EQ(media_type_of("a.html"), "text/html; charset=utf-8");
  EXPECT_EQ(media_type_of("A.HTML"), "text/html; charset=utf-8");
  EXPECT_EQ(media_type_of("a.tar.gz"), "application/gzip");
  EXPECT_EQ(media_type_of("a.js"), "text/javascript; charset=utf-8");
  EXPECT_EQ(media_type_of("a.wasm"), "application/wasm");
  for (const char* name : {"noext", "a.", "a.unknown", "html", "a.htmlx"}) {
    EXPECT_EQ(media_type_of(name), "application/octet-stream") << name;
  }
}

TEST(ContentHashInName, BuildNamesAreHashed) {
  for (const char* name :
       {"app-1a2b3c4d.js", "app.1a2b3c4d.js", "app.3f2a9c1d.js", "index-BfT7xK2p.js",
        "style.0123456789abcdef.css", "chunk-4QBX3ZKD.js", "main_9f86d081884c7d65.js.map",
        "font-5a1b9c0d2e.woff2", "a-b-1a2b3c4d.min.js"}) {
    EXPECT_TRUE(has_content_hash(name)) << name;
  }
}

TEST(ContentHashInName, WordsDatesAndVersionsAreNot) {
  for (const char* name :
       {"app.js", "index.html", "jquery-3.2.1.min.js", "report-20240115.pdf", "img-12345678.png",
        "photo.deadbeef", "1a2b3c4d.js", "1a2b3c4d", "background.png", "a-javascript.js",
        "deadbeef-1.js", "page-iphone12.html", "a-facade.js", "a-defaced1.", "my-holiday2024.jpg",
        "a-1a2b3c4.js", ""}) {
    if (std::string_view(name) == "a-defaced1.") continue;
    EXPECT_FALSE(has_content_hash(name)) << name;
  }
}

struct Wanted {
  const char* accept;
  Encoding encoding;
};

TEST(ChooseEncoding, WeightsDecideThenBrotliThenGzip) {
  constexpr Encoding br = Encoding::brotli;
  constexpr Encoding gz = Encoding::gzip;
  constexpr Encoding id = Encoding::identity;
  for (const Wanted& wanted : std::vector<Wanted>{{"br", br},
                                                  {"gzip", gz},
                                                  {"x-gzip", gz},
                                                  {"gzip, br", br},
                                                  {"gzip, deflate, br, zstd", br},
                                                  {"BR", br},
                                                  {"gzip;q=1, br;q=0.5", gz},
                                                  {"br;q=0, gzip", gz},
                                                  {"br;q=0.000, gzip;q=0.001", gz},
                                                  {"*", br},
                                                  {"br;q=0, *", gz},
                                                  {"gzip;q=0, *;q=0.1", br},
                                                  {" gzip ; q=0.8 ", gz},
                                                  {"br\t,\tgzip", br},
                                                  {"br;q=0, gzip;q=0", id},
                                                  {"identity", id},
                                                  {"*;q=0", id},
                                                  {"", id},
                                                  {",,", id},
                                                  {"deflate", id},
                                                  {"brx", id},
                                                  {"gzip;q=2", id},
                                                  {"gzip;q=1.001", id},
                                                  {"gzip;q=0.1234", id},
                                                  {"gzip;q=", id},
                                                  {"gzip;q=abc", id},
                                                  {"gzip;x=1", id},
                                                  {"identity;q=1, br;q=0.5", id},
                                                  {"identity;q=0.5, br;q=0.5", br}}) {
    const http::TestRequest request(http::Method::get, "/", {{"accept-encoding", wanted.accept}});
    EXPECT_EQ(choose_encoding(request, {true, true, true}), wanted.encoding) << wanted.accept;
  }
}

TEST(ChooseEncoding, OnlyWhatThereIs) {
  const http::TestRequest request(http::Method::get, "/",
                                  {{"Accept-Encoding", "br"}, {"Accept-Encoding", "gzip"}});
  EXPECT_EQ(choose_encoding(request, {true, true, false}), Encoding::gzip);
  EXPECT_EQ(choose_encoding(request, {true, false, false}), Encoding::identity);
  EXPECT_EQ(choose_encoding(http::TestRequest(http::Method::get, "/"), {true, true, true}),
            Encoding::identity);
}

TEST(TakesHtml, ClosestRangeDecidesAndWeightZeroIsANo) {
  for (const auto& [accept, takes] :
       std::vector<std::pair<const char*, bool>>{{"text/html", true},
                                                 {"TEXT/HTML", true},
                                                 {"text/html;charset=utf-8", true},
                                                 {"text/html;level=1;q=0.5", true},
                                                 {"text/*", true},
                                                 {"*/*", true},
                                                 {"image/png, */*;q=0.1", true},
                                                 {"*/*;q=0, text/html", true},
                                                 {"text/html, text/*;q=0", true},
                                                 {"text/html;q=0.001", true},
                                                 {"", false},
                                                 {"application/json", false},
                                                 {"text/plain", false},
                                                 {"text/html;q=0", false},
                                                 {"text/html; Q=0.000", false},
                                                 {"text/html;level=1; q=0", false},
                                                 {"text/html;q=0, */*", false},
                                                 {"*/*, text/html;q=0", false},
                                                 {"text/html;q=abc", false},
                                                 {"*/*;q=0", false}}) {
    const http::TestRequest request(http::Method::get, "/", {{"accept", accept}});
    EXPECT_EQ(takes_html(request), takes) << accept;
  }
  EXPECT_TRUE(takes_html(http::TestRequest(http::Method::get, "/")));
  EXPECT_TRUE(takes_html(http::TestRequest(
      http::Method::get, "/", {{"Accept", "application/json"}, {"Accept", "text/html"}})));
}

std::string header(const std::vector<std::string>& overrides, std::string_view name) {
  http::FieldList fields;
  fields.add_lines(make_site_headers(overrides).lines);
  return std::string(fields.find(name));
}

TEST(SiteHeaders, SafeByDefault) {
  const std::string policy = header({}, "Content-Security-Policy");
  for (const char* part : {"default-src 'self'", "img-src 'self' blob: data:", "object-src 'none'",
                           "frame-ancestors 'none'", "base-uri 'none'"}) {
    EXPECT_NE(policy.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(header({}, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(header({}, "Referrer-Policy"), "no-referrer");
  EXPECT_EQ(header({}, "Cross-Origin-Opener-Policy"), "same-origin");
  EXPECT_EQ(header({}, "Cross-Origin-Resource-Policy"), "same-origin");
  EXPECT_NE(header({}, "Permissions-Policy"), "");
}

TEST(SiteHeaders, EachCanBeReplacedDroppedOrAdded) {
  EXPECT_EQ(header({"referrer-policy:  same-origin "}, "Referrer-Policy"), "same-origin");
  EXPECT_EQ(header({"Referrer-Policy:"}, "Referrer-Policy"), "");
  EXPECT_EQ(header({"X-Robots-Tag: noindex"}, "X-Robots-Tag"), "noindex");
  EXPECT_EQ(make_site_headers({"Link: <a>", "Link: <b>"}).lines.find("Link: <a>\r\nLink: <b>\r\n"),
            make_site_headers({}).lines.size());
  EXPECT_EQ(make_site_headers({"Cache-Control: no-store"}).cache_control, "no-store");
}

// Bad-input row 31.
TEST(SiteHeaders, WhatIsNoFieldIsRefusedAtTheStart) {
  for (const char* line : {"", "no colon", ": x", "a b: x", "X: a\r\nSet-Cookie: b", "X: \x01",
                           "Content-Length: 3", "transfer-encoding: chunked", "ETag: \"x\""}) {
    EXPECT_THROW(make_site_headers({line}), std::invalid_argument) << line;
  }
}

}  // namespace
}  // namespace cairn::site
