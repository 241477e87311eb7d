"""Churn of JSON documents and dicts: documents.py [ROUNDS]"""
import json
import sys

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 150
kept = {}
for number in range(rounds):
    document = {"id": number, "items": [{"name": "item %d" % i, "tags": ["a%d" % (i % 7), "b"], "price": i * 1.5}
                                        for i in range(2000)]}
    text = json.dumps(document)
    back = json.loads(text)
    kept[number % 20] = {item["name"]: item for item in back["items"]}
print(sum(len(document) for document in kept.values()))
