"""A class that inherits its attributes, in a module of its own."""


class Case:
    rows = None

    def __init__(self):
        self.rows = []


class Base:
    covers = {}

    def __init__(self):
        self.rows, self.count = [], 0


class Shelf(Base):
    def add(self, thing):
        self.count += 1
        self.rows.append(thing)
