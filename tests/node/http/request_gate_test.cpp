// The rules of the strict gate, with families of variants around each (the numbers are the rows of
// the bad-input list that the end-to-end tests follow too).
#include "node/http/request_gate.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "node/http/head_parser.h"

namespace cairn::http {
namespace {

struct Verdict {
  Refusal refusal;
  Request request;
  std::vector<Field> fields;
  std::size_t head_bytes = 0;
};

/// Scans `wire` as if it came in pieces of `step` bytes, then parses.
Verdict judge(const std::string& wire, std::size_t step = 4096) {
  Verdict verdict;
  std::size_t seen = 0;
  std::size_t have = 0;
  while (have < wire.size()) {
    have = std::min(wire.size(), have + step);
    const HeadScan scan = scan_head(std::string_view(wire).substr(0, have), seen, 8192);
    seen = have;
    if (scan.refusal) {
      verdict.refusal = scan.refusal;
      return verdict;
    }
    if (scan.head_bytes == 0) continue;
    verdict.head_bytes = scan.head_bytes;
    verdict.refusal = parse_head(std::string_view(wire).substr(0, scan.head_bytes), 100,
                                 verdict.fields, verdict.request);
    return verdict;
  }
  verdict.refusal = {0, "incomplete", ""};
  return verdict;
}

int status_of(const std::string& wire) {
  const Refusal whole = judge(wire).refusal;
  EXPECT_EQ(judge(wire, 1).refusal.status, whole.status)
      << "split changes the verdict of: " << wire;
  EXPECT_EQ(whole.hint.empty(), whole.status == 0) << "no next step for: " << wire;
  return whole.status;
}

std::string get(const std::string& fields) {
  return "GET /v1 HTTP/1.1\r\nHost: a.example\r\n" + fields + "\r\n";
}

std::string post(const std::string& fields) {
  return "POST /v1 HTTP/1.1\r\nHost: a.example\r\n" + fields + "\r\n";
}

TEST(Gate, OrdinaryRequestIsAdmitted) {
  const std::string wire =
      "GET /a/b?q=1 HTTP/1.1\r\nHost: a.example:8080\r\nX-Empty:\r\naccept:  text/html "
      "\r\n\r\nrest";
  const Verdict verdict = judge(wire);
  ASSERT_FALSE(verdict.refusal) << verdict.refusal.reason;
  EXPECT_EQ(verdict.head_bytes, wire.size() - 4);
  EXPECT_EQ(verdict.request.method, Method::get);
  EXPECT_EQ(verdict.request.path, "/a/b");
  EXPECT_EQ(verdict.request.query, "q=1");
  EXPECT_EQ(verdict.request.host, "a.example");
  EXPECT_EQ(verdict.request.authority, "a.example:8080");
  EXPECT_EQ(verdict.request.field("Accept"), "text/html");
  EXPECT_EQ(verdict.request.field("x-empty"), "");
  EXPECT_TRUE(verdict.request.keep_alive);
  EXPECT_EQ(verdict.request.framing, Framing::none);
}

TEST(Gate, Row1LengthWithCodingRefused) {
  EXPECT_EQ(status_of(post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n")), 400);
  EXPECT_EQ(status_of(post("transfer-encoding: chunked\r\nX: y\r\ncontent-length: 0\r\n")), 400);
}

TEST(Gate, Row2OtherCodingsRefused) {
  for (const char* coding : {"gzip", "deflate", "compress", "x-gzip", "GZIP"}) {
    EXPECT_EQ(status_of(post(std::string("Transfer-Encoding: ") + coding + "\r\n")), 501) << coding;
  }
  for (const char* coding :
       {"xchunked", "chunkedx", "chunked, gzip", "gzip, chunked", "\"chunked\"", "identity",
        "chunked, chunked", "chunked,", ",chunked", "chunked;q=1", ""}) {
    EXPECT_EQ(status_of(post(std::string("Transfer-Encoding: ") + coding + "\r\n")), 400) << coding;
  }
  EXPECT_EQ(status_of(post("Transfer-Encoding: Chunked\r\n")), 0);
  EXPECT_EQ(status_of(post("Transfer-Encoding:\tchunked \r\n")), 0);
}

TEST(Gate, Row3CodingTwiceFoldedOrInHttp10Refused) {
  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")), 400);
  EXPECT_EQ(status_of(post("Transfer-Encoding:\r\n chunked\r\n")), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(Gate, Row4FoldsAndBadNamesRefused) {
  for (const char* fields :
       {"A: b\r\n c\r\n", "A: b\r\n\tc\r\n", "A : b\r\n", "A\t: b\r\n", " A: b\r\n", "A\x01: b\r\n",
        "A\x7f: b\r\n", ": b\r\n", "A b: c\r\n", "A\r\n", "A: b\x01\r\n", "Content-Length : 4\r\n",
        "\xc3\xa9: b\r\n", "A(: b\r\n"}) {
    EXPECT_EQ(status_of(get(fields)), 400) << fields;
  }
  EXPECT_EQ(status_of(get("A: caf\xc3\xa9\r\n")), 0);
}

TEST(Gate, Row5LengthsThatAreNotOnePlainNumberRefused) {
  for (const char* value :
       {"4,4", "4, 4", "+4", "-4", "0x4", "", "4 4", "4.0", "4e1", "\"4\"", "four"}) {
    EXPECT_EQ(status_of(post(std::string("Content-Length: ") + value + "\r\n")), 400) << value;
  }
  EXPECT_EQ(status_of(post("Content-Length: 4\r\nContent-Length: 4\r\n")), 400);
  EXPECT_EQ(status_of(post("Content-Length: 4\r\ncontent-length: 5\r\n")), 400);
  EXPECT_EQ(status_of(post("Content-Length: 18446744073709551616\r\n")), 400);
  const Verdict largest = judge(post("Content-Length: 18446744073709551615\r\n"));
  EXPECT_FALSE(largest.refusal);
  EXPECT_EQ(largest.request.content_length, ~std::uint64_t{0});
}

TEST(Gate, Row6BareLineEndsAndNulRefused) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\nHost: a\n\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"), 400);
  EXPECT_EQ(
      status_of(std::string("GET / HTTP/1.1\r\nHost: a\r\nB: c") + std::string(1, 0) + "d\r\n\r\n"),
      400);
  EXPECT_EQ(status_of("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(Gate, Row9VersionsAndMethods) {
  EXPECT_EQ(status_of("GET /\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET / HTTP/0.9\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET / http/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("FROB / HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
  EXPECT_EQ(status_of("get / HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
  EXPECT_EQ(status_of("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), 405);
  EXPECT_EQ(status_of("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"), 405);
}

TEST(Gate, Row10HostMustStandOnceAndBeOne) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"), 400);
  for (const char* host :
       {"", "a b", "a/b", "a@b", "a:b", "a:", "a:123456", "[::1", "[]", "[x]", "a,b", ":80"}) {
    EXPECT_EQ(status_of(std::string("GET / HTTP/1.1\r\nHost: ") + host + "\r\n\r\n"), 400) << host;
  }
  for (const char* host :
       {"a", "a.example:80", "127.0.0.1", "[::1]", "[::1]:8080", "xn--a_b~c-d"}) {
    EXPECT_EQ(status_of(std::string("GET / HTTP/1.1\r\nHost: ") + host + "\r\n\r\n"), 0) << host;
  }
}

TEST(Gate, Row11TargetForms) {
  const auto target = [](const std::string& text) {
    return status_of("GET " + text + " HTTP/1.1\r\nHost: a.example\r\n\r\n");
  };
  EXPECT_EQ(target("http://b.example/"), 400);
  EXPECT_EQ(target("http://a.example:81/"), 400);
  EXPECT_EQ(target("http://a.example@b/"), 400);
  EXPECT_EQ(target("ftp://a.example/"), 400);
  EXPECT_EQ(target("foo"), 400);
  EXPECT_EQ(target("*"), 400);
  EXPECT_EQ(target("/a#b"), 400);
  EXPECT_EQ(target("/caf\xc3\xa9"), 400);
  EXPECT_EQ(target("http://a.example/x?y"), 0);
  EXPECT_EQ(target("HTTP://A.EXAMPLE"), 0);
  EXPECT_EQ(status_of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  const std::string absolute = "GET http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n";
  EXPECT_EQ(judge(absolute).request.target, "/x?y");
}

TEST(Gate, Row12TooMuchIs431) {
  EXPECT_EQ(status_of(get("A: " + std::string(9000, 'x') + "\r\n")), 431);
  std::string many;
  for (int i = 0; i < 120; ++i) many += "A: b\r\n";
  EXPECT_EQ(status_of(get(many)), 431);
  std::string just;
  for (int i = 0; i < 99; ++i) just += "A: b\r\n";
  EXPECT_EQ(status_of(get(just)), 0);
}

TEST(Gate, Row13ExpectationsOtherThanContinueRefused) {
  EXPECT_EQ(status_of(post("Expect: 200-ok\r\nContent-Length: 3\r\n")), 417);
  EXPECT_EQ(status_of(post("Expect: 100-continue, x\r\nContent-Length: 3\r\n")), 417);
  const std::string continued = post("Expect: 100-Continue\r\nContent-Length: 3\r\n");
  EXPECT_TRUE(judge(continued).request.expects_continue);
  const std::string empty = post("Expect: 100-continue\r\nContent-Length: 0\r\n");
  EXPECT_FALSE(judge(empty).request.expects_continue);
}

TEST(Gate, PersistenceFollowsVersionAndConnection) {
  const auto keeps = [](const std::string& wire) { return judge(wire).request.keep_alive; };
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(Gate, TlsHandshakeOnAPlainPortRefusedAtOnce) {
  EXPECT_EQ(status_of(std::string("\x16\x03\x01\x02", 4)), 400);
}

}  // namespace
}  // namespace cairn::http
