/* churn.cc - C++ containers at work: maps of strings and vectors that come and go.  churn [ROUNDS]
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace
{

struct entry {
	std::string name;
	std::vector<int> values;
};

std::uint64_t state = 88172645463325252u;

std::uint64_t next_random()
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

using table = std::map<std::string, entry>;

std::string random_key()
{
	return "a key that is too long to be stored inline " +
	       std::to_string(next_random() % 20000);
}

/* One of several places in the program that do the same. */
template <int place> __attribute__((noinline)) void insert(table &entries)
{
	std::string key = random_key();
	entry &slot = entries[key];

	slot.name = key + " and a name";
	for (int i = 0; i < 12; i++)
		slot.values.push_back(i + place);
}

template <int place> __attribute__((noinline)) void erase(table &entries)
{
	auto at = entries.lower_bound(random_key());

	if (at != entries.end() && at->second.values[0] >= 0 - place)
		entries.erase(at);
}

void (*const inserts[])(table &) = {insert<0>, insert<1>, insert<2>, insert<3>,
				    insert<4>, insert<5>, insert<6>, insert<7>};
void (*const erases[])(table &) = {erase<0>, erase<1>, erase<2>, erase<3>,
				   erase<4>, erase<5>, erase<6>, erase<7>};

} // namespace

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 3000000;
	table entries;

	for (long i = 0; i < rounds; i++) {
		inserts[i & 7](entries);
		erases[i & 7](entries);
	}
	std::printf("%zu entries\n", entries.size());
	return 0;
}
