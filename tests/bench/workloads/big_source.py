"""Write a large C program to standard output, always the same: food for a compiler.  big_source.py [FUNCTIONS]"""
import random
import sys

count = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
rng = random.Random(7)
print("typedef long int64_t;\nstruct node { struct node *left, *right; int64_t value[8]; };")
print("static int64_t table[4096];")
for number in range(count):
    print("int64_t function_%d(struct node *n, int64_t a, int64_t b)\n{\n\tint64_t x = a, y = b;\n" % number)
    for _ in range(rng.randrange(6, 22)):
        kind = rng.randrange(5)
        if kind == 0:
            print("\tfor (int i = 0; i < %d; i++)\n\t\tx += n->value[i & 7] * (y ^ i);" % rng.randrange(3, 40))
        elif kind == 1:
            print("\tif ((x & %d) > y)\n\t\ty = x / (%d + (b & 7));\n\telse\n\t\tx -= table[y & 4095];" %
                  (rng.randrange(1, 999), rng.randrange(1, 9)))
        elif kind == 2 and number:
            print("\ty ^= function_%d(n->left ? n->left : n, x, y >> 3);" % rng.randrange(number))
        elif kind == 3:
            print("\tswitch (x & 7) {\n\tcase 1: y += 3; break;\n\tcase 5: x = -x; break;\n\tdefault: x++;\n\t}")
        else:
            print("\ttable[x & 4095] = y * %d;\n\tn->value[%d] = x;" % (rng.randrange(99), rng.randrange(8)))
    print("\treturn x + y;\n}")
