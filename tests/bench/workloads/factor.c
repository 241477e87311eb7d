/*
 * factor.c - after the classic of number theory among allocator benchmarks: arbitrary-precision
 * arithmetic in which every intermediate result is a small block that lives for a few operations.
 *
 *   factor [ROUNDS]    Pollard's rho and modular powers; numbers are reference-counted digit
 * vectors
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULUS UINT64_C(0x3fffffffffffffdd)

struct number {
	int references, digits;
	uint32_t digit[];
};

static struct number *number_new(int digits)
{
	struct number *n = malloc(sizeof(*n) + (size_t)digits * sizeof(uint32_t));

	if (!n)
		abort();
	n->references = 1;
	n->digits = digits;
	memset(n->digit, 0, (size_t)digits * sizeof(uint32_t));
	return n;
}

static void number_release(struct number *n)
{
	if (--n->references == 0)
		free(n);
}

static struct number *trim(struct number *n)
{
	while (n->digits > 1 && n->digit[n->digits - 1] == 0)
		n->digits--;
	return n;
}

static struct number *from_u64(uint64_t value)
{
	struct number *n = number_new(2);

	n->digit[0] = (uint32_t)value;
	n->digit[1] = (uint32_t)(value >> 32);
	return trim(n);
}

static struct number *multiply(const struct number *a, const struct number *b)
{
	struct number *n = number_new(a->digits + b->digits);

	for (int i = 0; i < a->digits; i++) {
		uint64_t carry = 0;

		for (int j = 0; j < b->digits; j++) {
			carry += (uint64_t)a->digit[i] * b->digit[j] + n->digit[i + j];
			n->digit[i + j] = (uint32_t)carry;
			carry >>= 32;
		}
		n->digit[i + b->digits] = (uint32_t)carry;
	}
	return trim(n);
}

static struct number *add_small(const struct number *a, uint32_t small)
{
	struct number *n = number_new(a->digits + 1);
	uint64_t carry = small;

	for (int i = 0; i < a->digits; i++) {
		carry += a->digit[i];
		n->digit[i] = (uint32_t)carry;
		carry >>= 32;
	}
	n->digit[a->digits] = (uint32_t)carry;
	return trim(n);
}

/* Remainder by one digit after another: slow, and full of short-lived numbers, as the original is.
 */
static struct number *remainder_of(const struct number *a, uint64_t modulus)
{
	uint64_t rest = 0;

	for (int i = a->digits - 1; i >= 0; i--)
		for (int bit = 31; bit >= 0; bit--) {
			rest = rest << 1 | (a->digit[i] >> bit & 1);
			if (rest >= modulus)
				rest -= modulus;
		}
	return from_u64(rest);
}

static struct number *step(const struct number *x, uint64_t modulus)
{
	struct number *square = multiply(x, x), *plus = add_small(square, 1);
	struct number *rest = remainder_of(plus, modulus);

	number_release(square);
	number_release(plus);
	return rest;
}

static struct number *sum_of_digits(const struct number *a)
{
	struct number *sum = from_u64(0);

	for (int i = 0; i < a->digits; i++)
		for (int byte = 0; byte < 4; byte++) {
			struct number *next = add_small(sum, a->digit[i] >> (8 * byte) & 255);

			number_release(sum);
			sum = next;
		}
	return sum;
}

/* base to the power of `exponent`, by halves: numbers are made at many depths. */
static struct number *power(const struct number *base, uint32_t exponent, uint64_t modulus)
{
	struct number *half, *square, *rest;

	if (exponent == 0)
		return from_u64(1);
	half = power(base, exponent / 2, modulus);
	square = multiply(half, half);
	rest = remainder_of(square, modulus);
	number_release(half);
	number_release(square);
	if (exponent & 1) {
		struct number *product = multiply(rest, base);

		number_release(rest);
		rest = remainder_of(product, modulus);
		number_release(product);
	}
	return rest;
}

/* Divide by small primes, one inside the other, and add up what is left. */
static struct number *sum_of_rests(const struct number *a, int prime)
{
	static const uint64_t primes[] = {1000003, 1000033, 1000037, 1000039, 1000081, 1000099};
	struct number *rest, *below, *sum;

	if (prime == sizeof(primes) / sizeof(primes[0]))
		return sum_of_digits(a);
	rest = remainder_of(a, primes[prime]);
	below = sum_of_rests(rest, prime + 1);
	sum = add_small(below, rest->digit[0]);
	number_release(rest);
	number_release(below);
	return sum;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 2500000;
	struct number *x = from_u64(2), *check = from_u64(0);

	for (long i = 0; i < rounds; i++) {
		struct number *next = step(x, MODULUS);
		struct number *root = power(next, next->digit[0] & 255, MODULUS);
		struct number *digits = i & 1 ? sum_of_digits(next) : sum_of_rests(next, 0);

		number_release(root);
		number_release(check);
		number_release(x);
		check = digits;
		x = next;
	}
	printf("%08x %u\n", (unsigned)x->digit[0], (unsigned)check->digit[0]);
	return 0;
}
