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

void insert(std::map<std::string, entry> &table)
{
	std::string key = "a key that is too long to be stored inline " +
			  std::to_string(next_random() % 20000);
	entry &slot = table[key];

	slot.name = key + " and a name";
	for (int i = 0; i < 12; i++)
		slot.values.push_back(i);
}

void erase(std::map<std::string, entry> &table)
{
	auto at = table.lower_bound("a key that is too long to be stored inline " +
				    std::to_string(next_random() % 20000));

	if (at != table.end())
		table.erase(at);
}

} // namespace

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 3000000;
	std::map<std::string, entry> table;

	for (long i = 0; i < rounds; i++) {
		insert(table);
		erase(table);
	}
	std::printf("%zu entries\n", table.size());
	return 0;
}
