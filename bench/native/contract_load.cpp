// contract_load PORT SERVER_PID DEPTH SECONDS WARM_UP_MS < PLAN
// Plays contract sessions over TLS that were prepared beforehand (bench/plan.ts writes the plan), so that the load costs as little
// as it can: connects, logs everybody in, and then each connection that has requests keeps DEPTH of them unanswered. Everybody
// acknowledges inbox entries, after 50 or 100 ms. One thread. The first WARM_UP_MS after all have logged in are not counted.
//
// PLAN, numbers little-endian: u32 connections; u32 length and head of an inbox.ack without its number; then each connection:
// i32 whose messages arrive here (-1: nobody's); u32 frames with which it logs in, each u32 length and bytes; u32 requests, the
// same way; i32 where in a request the id of a message is (-1: each is sent once).
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>
using std::string;

static const int welcome = 0x11, fault = 0x14, event = 0x15;
static const string entryHead = "\x82\x6b" "inbox.entry" "\xa2\x63" "seq";
static const unsigned long long ackRequestId = 1000000;
static const unsigned ackEntries = 50;
static const double ackSeconds = 0.1;

struct Connection {
  int fd = -1, from = -1, idAt = -1;
  SSL* tls = nullptr;
  string in, out;
  std::vector<string> logIn, requests;
  size_t loggedIn = 0, next = 0;
  uint64_t stored = 0, acknowledged = 0;
  std::deque<double> unanswered, undelivered;
};

static std::vector<Connection> connections;
static string ackHead;
static size_t depth, ready;
static int epollFd;
static uint64_t accepted, delivered;
static std::vector<double> acceptTimes, deliveryTimes;
static uint32_t crcTable[256];

static double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

[[noreturn]] static void die(const string& why) {
  fprintf(stderr, "contract_load: %s\n", why.c_str());
  exit(1);
}

static void makeCrcTable() {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
    crcTable[i] = c;
  }
}

static void putBig(string& s, size_t at, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) s[at + i] = char(value >> 8 * (bytes - 1 - i));
}

/// Writes the checksum of a frame into its last four bytes.
static void seal(string& frame) {
  uint32_t c = ~0u;
  for (size_t i = 0; i + 4 < frame.size(); i++) c = crcTable[(c ^ (unsigned char)frame[i]) & 255] ^ (c >> 8);
  putBig(frame, frame.size() - 4, ~c, 4);
}

static void flush(Connection& c) {
  while (!c.out.empty()) {
    int n = SSL_write(c.tls, c.out.data(), int(std::min<size_t>(c.out.size(), 16384)));
    if (n <= 0) break;
    c.out.erase(0, n);
  }
  epoll_event wanted{};
  wanted.events = c.out.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT;
  wanted.data.ptr = &c;
  if (!c.out.empty()) epoll_ctl(epollFd, EPOLL_CTL_MOD, c.fd, &wanted);
}

/// A fresh UUID of version 7: its time, a counter, and what is random once.
static void putId(string& frame, size_t at) {
  static unsigned char random[4];
  static uint32_t counter = (RAND_bytes(random, sizeof random), 0);
  uint64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  putBig(frame, at, ms, 6);
  frame[at + 6] = 0x70;
  frame[at + 8] = char(0x80);
  memcpy(&frame[at + 9], random, 3);
  putBig(frame, at + 12, ++counter, 4);
  seal(frame);
}

static void say(Connection& c) {
  if (c.idAt < 0 && c.next == c.requests.size()) die("all requests are used: prepare more");
  string& frame = c.requests[c.next++ % c.requests.size()];
  if (c.idAt >= 0) putId(frame, c.idAt);
  c.out += frame;
  double t = now();
  c.unanswered.push_back(t);
  if (c.idAt >= 0) c.undelivered.push_back(t);
}

static void acknowledge(Connection& c) {
  if (c.stored == c.acknowledged) return;
  c.acknowledged = c.stored;
  uint64_t n = c.stored;
  int bytes = n < 24 ? 0 : n < 256 ? 1 : n < 65536 ? 2 : n >> 32 ? 8 : 4;
  string body = ackHead + char(bytes == 0 ? n : bytes == 1 ? 24 : bytes == 2 ? 25 : bytes == 4 ? 26 : 27) + string(bytes, 0);
  if (bytes > 0) putBig(body, body.size() - bytes, n, bytes);
  string frame = "MAGC" + string(3, 0) + body + string(4, 0);
  frame[4] = 0x12;
  putBig(frame, 5, body.size(), 2);
  seal(frame);
  c.out += frame;
}

/// The number in CBOR at a place.
static uint64_t numberAt(const string& s, size_t at) {
  int first = (unsigned char)s[at] & 31, bytes = first < 24 ? 0 : 1 << (first - 24);
  uint64_t value = bytes ? 0 : first;
  for (int i = 1; i <= bytes; i++) value = value << 8 | (unsigned char)s[at + i];
  return value;
}

static void onEntry(Connection& c, size_t at) {
  uint64_t seq = numberAt(c.in, at);
  if (c.stored > 0 && seq != c.stored + 1) die("an entry is missing, or came twice");
  c.stored = seq;
  if (c.stored - c.acknowledged >= ackEntries) acknowledge(c);
  if (c.from < 0) return;
  auto& sentAt = connections[c.from].undelivered;
  if (sentAt.empty()) return;
  delivered++;
  deliveryTimes.push_back(now() - sentAt.front());
  sentAt.pop_front();
}

static void onAnswer(Connection& c) {
  if (c.loggedIn < c.logIn.size()) {
    if (++c.loggedIn < c.logIn.size()) c.out += c.logIn[c.loggedIn];
    else ready++;
    return;
  }
  if (c.unanswered.empty()) die("an answer too many");
  accepted++;
  acceptTimes.push_back(now() - c.unanswered.front());
  c.unanswered.pop_front();
  say(c);
}

/// How many bytes the frame at a place has; 0 while it is not whole.
static size_t onFrame(Connection& c, size_t at) {
  if (c.in.size() - at < 11) return 0;
  size_t length = 11 + ((unsigned char)c.in[at + 5] << 8 | (unsigned char)c.in[at + 6]);
  if (c.in.size() - at < length) return 0;
  int command = c.in[at + 4];
  if (command == fault) die("refused: " + c.in.substr(at + 7, length - 11));
  if (command == event) {
    if (c.in.compare(at + 7, entryHead.size(), entryHead) == 0) onEntry(c, at + 7 + entryHead.size());
    else if (c.idAt < 0) delivered++;
  } else if (command == welcome || numberAt(c.in, at + 8) != ackRequestId) onAnswer(c);
  return length;
}

static void onReadable(Connection& c) {
  static char buffer[65536];
  for (int n; (n = SSL_read(c.tls, buffer, sizeof buffer)) != 0;) {
    if (n > 0) {
      c.in.append(buffer, n);
      continue;
    }
    if (SSL_get_error(c.tls, n) != SSL_ERROR_WANT_READ) die("the server closed a connection");
    break;
  }
  size_t at = 0;
  while (size_t used = onFrame(c, at)) at += used;
  c.in.erase(0, at);
}

static uint32_t readNumber() {
  uint32_t value;
  if (fread(&value, 4, 1, stdin) != 1) die("the plan is cut off");
  return value;
}

static string readBytes() {
  string bytes(readNumber(), 0);
  if (!bytes.empty() && fread(&bytes[0], bytes.size(), 1, stdin) != 1) die("the plan is cut off");
  return bytes;
}

static void readPlan() {
  connections.resize(readNumber());
  ackHead = readBytes();
  for (auto& c : connections) {
    c.from = int(readNumber());
    c.logIn.resize(readNumber());
    for (auto& frame : c.logIn) frame = readBytes();
    c.requests.resize(readNumber());
    for (auto& frame : c.requests) frame = readBytes();
    c.idAt = int(readNumber());
  }
}

static void connectAll(int port) {
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(port);
  inet_pton(AF_INET, "127.0.0.1", &server.sin_addr);
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  epollFd = epoll_create1(0);
  for (auto& c : connections) {
    c.fd = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c.fd, (sockaddr*)&server, sizeof server)) die("cannot connect");
    c.tls = SSL_new(context);
    SSL_set_fd(c.tls, c.fd);
    if (SSL_connect(c.tls) != 1) die("the TLS handshake failed");
    fcntl(c.fd, F_SETFL, O_NONBLOCK);
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.ptr = &c;
    epoll_ctl(epollFd, EPOLL_CTL_ADD, c.fd, &wanted);
    c.out = c.logIn.at(0);
    flush(c);
  }
}

/// CPU time of the server, all its threads.
static double cpuSeconds(const string& pid) {
  FILE* file = fopen(("/proc/" + pid + "/stat").c_str(), "r");
  if (file == nullptr) die("the server is gone");
  unsigned long user = 0, system = 0;
  if (fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) die("cannot read its CPU time");
  fclose(file);
  return double(user + system) / sysconf(_SC_CLK_TCK);
}

static void print(const char* name, std::vector<double>& times) {
  std::sort(times.begin(), times.end());
  auto at = [&](double share) { return times.empty() ? 0 : times[size_t(times.size() * share)] * 1000; };
  printf(" %s p50=%.1fms p99=%.1fms", name, at(0.5), at(0.99));
}

static void turn() {
  static epoll_event events[256];
  int n = epoll_wait(epollFd, events, 256, 20);
  for (int i = 0; i < n; i++) {
    auto* c = static_cast<Connection*>(events[i].data.ptr);
    if (events[i].events & EPOLLOUT) {
      epoll_event wanted{};
      wanted.events = EPOLLIN;
      wanted.data.ptr = c;
      epoll_ctl(epollFd, EPOLL_CTL_MOD, c->fd, &wanted);
    }
    onReadable(*c);
    flush(*c);
  }
}

/// Runs until a moment, acknowledging what came.
static void runUntil(double end) {
  static double acknowledgedAt = 0;
  for (double t; (t = now()) < end; turn()) {
    if (t - acknowledgedAt < ackSeconds) continue;
    acknowledgedAt = t;
    for (auto& c : connections) {
      acknowledge(c);
      flush(c);
    }
  }
}

int main(int argc, char** argv) {
  if (argc != 6) die("usage: contract_load PORT SERVER_PID DEPTH SECONDS WARM_UP_MS < PLAN");
  signal(SIGPIPE, SIG_IGN);
  makeCrcTable();
  depth = atoi(argv[3]);
  readPlan();
  connectAll(atoi(argv[1]));
  for (double deadline = now() + 60; ready < connections.size(); turn())
    if (now() > deadline) die("not everybody could log in");
  for (auto& c : connections) {
    for (size_t open = 0; open < depth && !c.requests.empty(); open++) say(c);
    flush(c);
  }
  runUntil(now() + atof(argv[5]) / 1000);
  accepted = delivered = 0;
  acceptTimes.clear();
  deliveryTimes.clear();
  double startedAt = now(), startedCpu = cpuSeconds(argv[2]);
  runUntil(startedAt + atof(argv[4]));
  double elapsed = now() - startedAt, cpu = cpuSeconds(argv[2]) - startedCpu;
  printf("accepted/s=%.0f delivered/s=%.0f cpu=%.2f accepted/cpu-s=%.0f delivered/cpu-s=%.0f", accepted / elapsed, delivered / elapsed,
         cpu / elapsed, accepted / cpu, delivered / cpu);
  print("accept", acceptTimes);
  print("delivery", deliveryTimes);
  printf("\n");
}
