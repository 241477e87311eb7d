// shapes.cpp - one shape of memory use per run: what leaks and what does not is known by
// construction.
//
// usage: shapes SHAPE.  Each step does the same work and ends with a snapshot.  Random numbers are
// always the same.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

extern "C" int snap_take(const char *) __attribute__((weak));

enum { STEPS = 16, REQUESTS = 400 };
static unsigned long seed = 12345;
static volatile unsigned long sink;

static unsigned random_below(unsigned limit)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned)(seed >> 33) % limit;
}

// What every request does: allocate a little, and free it.
static void serve_request(void)
{
	for (int i = 0; i < 20; i++) {
		char *text = static_cast<char *>(malloc(40 + random_below(60)));
		text[0] = 'x';
		sink += static_cast<unsigned char>(text[0]);
		free(text);
	}
}

/* ---- leaks ----------------------------------------------------------------------------------- */

// The caller of a request that fails forgets the message: one request in 50.
static char *describe_error(int code)
{
	char *message = static_cast<char *>(malloc(120));
	snprintf(message, 120, "request failed with %d", code);
	return message;
}

static void error_path(void)
{
	if (random_below(50) == 0)
		sink += static_cast<unsigned long>(describe_error(7)[0]);
}

// A table in one block that is resized by a fixed amount, and from which nothing is ever removed.
static void **listeners;
static size_t listener_count;
static void add_listener(void *what)
{
	if (listener_count % 64 == 0)
		listeners = static_cast<void **>(
			realloc(listeners, (listener_count + 64) * sizeof(void *)));
	listeners[listener_count++] = what;
}

static void listener_table(void)
{
	add_listener(&listeners);
}

// Parent and child own each other.
struct Node {
	std::shared_ptr<Node> other;
	char payload[100];
};
static void link_nodes(void)
{
	auto parent = std::make_shared<Node>();
	parent->other = std::make_shared<Node>();
	parent->other->other = parent;
}

static void owner_cycle(void)
{
	if (random_below(20) == 0)
		link_nodes();
}

// Each thread has a buffer, which nobody frees when the thread ends.
static thread_local char *volatile buffer;
static void make_thread_buffer(void)
{
	buffer = static_cast<char *>(malloc(2000));
	buffer[0] = 1;
	sink += static_cast<unsigned long>(buffer[0]);
}

static void thread_buffers(void)
{
	if (random_below(40) == 0)
		std::thread(make_thread_buffer).join();
}

// A small header of each batch is kept, beside a large batch that is dropped every fourth step.
static std::vector<char *> batch, headers;
static void keep_header(void)
{
	headers.push_back(static_cast<char *>(malloc(48)));
}

static void under_a_sawtooth(void)
{
	if (random_below(20) == 0)
		keep_header();
	batch.push_back(static_cast<char *>(malloc(1000)));
	if (batch.size() < 4 * REQUESTS)
		return;
	for (char *block : batch)
		free(block);
	batch.clear();
}

// It leaks while there is load; then the program computes for as long, and allocates nothing.
static std::vector<char *> forgotten;
static void forget_ticket(void)
{
	forgotten.push_back(static_cast<char *>(malloc(64)));
}

static void before_a_computation(void)
{
	if (random_below(10) == 0)
		forget_ticket();
}

// The same, but the program frees what it owns when it ends.
static std::vector<std::string> owned;
static void lost_before_a_computation(void)
{
	if (owned.empty())
		owned.assign(1000, std::string(500, 'o'));
	before_a_computation();
}

/* ---- what does not leak ---------------------------------------------------------------------- */

// The least recently used goes when there are 300.
static std::list<std::pair<unsigned, std::string>> recent;
static std::unordered_map<unsigned, std::list<std::pair<unsigned, std::string>>::iterator> by_key;
static void lru_cache(void)
{
	unsigned key = random_below(5000);
	auto found = by_key.find(key);

	if (found != by_key.end()) {
		recent.splice(recent.begin(), recent, found->second);
		return;
	}
	recent.emplace_front(key, std::string(100 + key % 50, 'v'));
	by_key[key] = recent.begin();
	if (recent.size() > 300) {
		by_key.erase(recent.back().first);
		recent.pop_back();
	}
}

// Each kind is made when it is first asked for; there are 600, and rare ones come late.
static char *kinds[600];
static void lazy_kinds(void)
{
	unsigned kind = random_below(600) * random_below(600) / 600;

	if (!kinds[kind])
		kinds[kind] = static_cast<char *>(malloc(500));
}

// A generation is built while the one before it is in use; then that is freed.
static std::vector<char *> generation[2];
static unsigned current;
static void generations(void)
{
	generation[current].push_back(static_cast<char *>(malloc(256)));
	if (generation[current].size() < REQUESTS)
		return;
	current = !current;
	for (char *block : generation[current])
		free(block);
	generation[current].clear();
}

// Connections that live for a random number of requests.
static char *connections[250];
static void random_lifetimes(void)
{
	unsigned slot = random_below(250);

	if (connections[slot] && random_below(2)) {
		free(connections[slot]);
		connections[slot] = nullptr;
	} else if (!connections[slot]) {
		connections[slot] = static_cast<char *>(malloc(700));
	}
}

// What is produced in one step is consumed in the next.
static std::list<std::string> queue;
static void lagging_queue(void)
{
	queue.push_back(std::string(200, 'q'));
	if (queue.size() > REQUESTS)
		queue.pop_front();
}

// Each key is computed once.  When all are there, the program works on without allocating.
static char *answers[500];
static void full_cache(void)
{
	unsigned key = random_below(500);

	if (!answers[key])
		answers[key] = static_cast<char *>(malloc(300));
	for (unsigned i = 0; i < 5000; i++)
		sink += i;
}

// It reads records, and then computes on them for as long.  At its exit the system frees them.
struct Record {
	double values[8];
	Record *next;
};
static Record *records;
static void add_record(void)
{
	records = new Record{{1, 2, 3, 4, 5, 6, 7, 8}, records};
}

static void read_then_compute(void)
{
	add_record();
}

static void no_request(void)
{
}

static const struct {
	const char *name;
	void (*request)(void), (*others)(void);
	bool ends; // after half of the steps
} shapes[] = {
	{"error_path", error_path, serve_request, false},
	{"listener_table", listener_table, serve_request, false},
	{"owner_cycle", owner_cycle, serve_request, false},
	{"thread_buffers", thread_buffers, serve_request, false},
	{"under_a_sawtooth", under_a_sawtooth, serve_request, false},
	{"before_a_computation", before_a_computation, serve_request, true},
	{"lost_before_a_computation", lost_before_a_computation, serve_request, true},
	{"lru_cache", lru_cache, serve_request, false},
	{"lazy_kinds", lazy_kinds, serve_request, false},
	{"generations", generations, serve_request, false},
	{"random_lifetimes", random_lifetimes, serve_request, false},
	{"lagging_queue", lagging_queue, serve_request, false},
	{"full_cache", full_cache, no_request, false},
	{"read_then_compute", read_then_compute, serve_request, true},
	{"read_all_then_compute", read_then_compute, no_request, true},
};

static void compute(void)
{
	for (unsigned long i = 0; i < 20000000; i++)
		sink += i;
}

int main(int count, char **words)
{
	for (const auto &shape : shapes) {
		if (count < 2 || strcmp(shape.name, words[1]) != 0)
			continue;
		for (int step = 0; step < STEPS; step++) {
			bool has_load = !shape.ends || step < STEPS / 2;
			for (int i = 0; has_load && i < REQUESTS; i++) {
				shape.others();
				shape.request();
			}
			if (!has_load)
				compute();
			if (snap_take)
				snap_take(nullptr);
		}
		return 0;
	}
	return 2;
}
