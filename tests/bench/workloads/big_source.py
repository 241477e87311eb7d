"""Write a large C program to standard output, always the same: food for a compiler.  big_source.py [FUNCTIONS]

Statements and expressions nest at random, over several types, so that the compiler recurses in many ways, as it
does on a program that people wrote.
"""
import random
import sys

TYPES = ["signed char", "unsigned short", "int", "unsigned", "int64_t", "double"]
PRELUDE = """typedef long int64_t;
struct item { unsigned kind : 5, flags : 11; short weight; union { int64_t number; double real; char text[16]; } as; };
struct node { struct node *left, *right; struct item items[8]; int64_t value[8]; int (*hook)(struct node *, int); };
static int64_t table[4096];
static struct node nodes[64];
extern void *allocate(unsigned long size);
extern int report(const char *format, ...);"""
rng = random.Random(7)


def pick(*choices):
    return rng.choice(choices)


def operand(number):
    return pick("a", "b", "x", "y", "z", "small", str(rng.randrange(1, 999)), "n->value[%d]" % rng.randrange(8),
                "n->items[x & 7].as.number", "n->items[%d].weight" % rng.randrange(8), "table[y & 4095]",
                "nodes[a & 63].items[b & 7].flags", "n->left->value[%d]" % rng.randrange(8),
                "function_%d(n->right, x, %d)" % (rng.randrange(number), rng.randrange(99)) if number else "x")


def expression(number, depth):
    if depth == 0 or rng.random() < 0.15:
        return operand(number)
    left, right = expression(number, depth - 1), expression(number, rng.randrange(depth))
    return pick("(%s + %s)", "(%s - %s)", "(%s * %s)", "((int64_t)(%s) ^ (int64_t)(%s))", "(%s < %s)", "(%s && %s)",
                "(%s || !(%s))", "(%s > 7 ? %s : z)", "((%s) / ((%s) + 1000003))",
                "((int64_t)(%s) >> ((int64_t)(%s) & 15))") % (left, right)


def block(number, depth, indent):
    return "".join(statement(number, depth, indent + "\t") for _ in range(rng.randrange(1, 4)))


def statement(number, depth, indent):
    value = expression(number, rng.randrange(1, 4))
    kind = rng.randrange(8) if depth else 7
    if kind == 0:
        text = "for (int i = 0; i < %d; i++) {\n%s%s}" % (rng.randrange(3, 40), block(number, depth - 1, indent), indent)
    elif kind == 1:
        text = "if (%s) {\n%s%s} else {\n%s%s}" % (value, block(number, depth - 1, indent), indent,
                                                 block(number, depth - 1, indent), indent)
    elif kind == 2:
        text = "while (%s) {\n%s%s\tif (%s)\n%s\t\tbreak;\n%s\tx += 3;\n%s}" % (
            value, block(number, depth - 1, indent), indent, expression(number, 2), indent, indent, indent)
    elif kind == 3:
        cases = "".join("%scase %d:\n%s%s\tbreak;\n" % (indent, case, block(number, depth - 1, indent), indent)
                        for case in range(rng.randrange(2, 7)))
        text = "switch ((int64_t)(%s) & 7) {\n%s%sdefault:\n%s\tz--;\n%s}" % (value, cases, indent, indent, indent)
    elif kind == 4:
        inner = pick(*TYPES)
        text = "{\n%s\t%s part = %s;\n%s%s\tz += part;\n%s}" % (indent, inner, value, block(number, depth - 1, indent),
                                                             indent, indent)
    elif kind == 5:
        text = "do {\n%s%s} while (++y < %d);" % (block(number, depth - 1, indent), indent, rng.randrange(9, 99))
    elif kind == 6:
        text = "if (n->hook && n->hook(n, (int)(%s)))\n%s\treport(\"%%d: %s\", (int)x);" % (
            value, indent, pick("too large", "not found", "again"))
    else:
        text = "%s = %s;" % (pick("x", "y", "z", "small", "n->value[x & 7]", "table[z & 4095]",
                                  "n->items[y & 7].as.number", "n->items[%d].kind" % rng.randrange(8)), value)
    return "%s%s\n" % (indent, text)


def function(number):
    print("int64_t function_%d(struct node *n, int64_t a, int64_t b)\n{" % number)
    print("\tint64_t x = a, y = b, z = %d;\n\t%s small = %d;\n" % (rng.randrange(99), pick(*TYPES), rng.randrange(99)))
    for _ in range(rng.randrange(2, 9)):
        sys.stdout.write(statement(number, rng.randrange(4), "\t"))
    print("\treturn x + y + z + (int64_t)small;\n}")


print(PRELUDE)
for each in range(int(sys.argv[1]) if len(sys.argv) > 1 else 400):
    function(each)
