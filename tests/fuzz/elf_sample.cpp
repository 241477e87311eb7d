// elf_sample.cpp - a library that fuzz_elf.c changes: names, scopes, inlined calls and variables of each kind.
namespace outer
{
namespace
{
struct hidden {
	int value;
};
template <typename T, int N> inline __attribute__((always_inline)) T twice(T value)
{
	return value * N;
}
__attribute__((noinline)) static int local(const hidden &that, int (*call)(int))
{
	return call(that.value);
}
} // namespace

thread_local int per_thread = 3;
static int counters[4] = {1, 2, 3, 4};

class shape
{
      public:
	virtual int area(int scale) const;
	enum class kind { round, square };
	kind is = kind::round;
};

int shape::area(int scale) const
{
	static int asked;
	auto add = [&](int more) { return twice<int, 2>(more) + scale; };

	return add(++asked) + counters[scale & 3] + per_thread;
}
} // namespace outer

extern "C" int sample(int value)
{
	outer::hidden that = {value};
	outer::shape square;

	return outer::local(that, [](int n) { return outer::twice<int, 3>(n); }) +
	       square.area(value);
}
