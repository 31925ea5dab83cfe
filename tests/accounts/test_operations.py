"""Tests of L{netplay.accounts.operations}: what a backend may ask of accounts."""

from __future__ import annotations

from itertools import product
from typing import Any

from netplay.accounts.operations import PAGE
from tests.accounts.keeper import PASSWORD, Keeper, account
from tests.features import House
from tests.web.admin.asking import AdminCase


class AccountsTests(AdminCase):
    """C{/api/accounts}."""

    def make_house(self) -> House:
        return House(accounts={"checkers": [Keeper()]})

    def add(self, name: str, *roles: str) -> None:
        self.house.store.accounts.add(account(name, *roles))

    def line(self, name: str, **fields: Any) -> dict[str, Any]:
        return {"name": name, "roles": [], "disabled": False, "created": 0, "connections": 0, **fields}

    def here(self, name: str) -> Any:
        client = self.house.connect("chat")
        client.ask("login", user=name, password=PASSWORD)
        return client

    def test_they_are_listed_without_their_passwords(self) -> None:
        self.add("Zoe")
        self.add("Ann", "operator")
        self.here("Ann")
        self.assertEqual(
            self.get("/api/accounts").json,
            {"accounts": [self.line("Ann", roles=["operator"], connections=1), self.line("Zoe")], "more": False},
        )

    def test_many_come_in_pages(self) -> None:
        names = ["".join(letters) for letters in product("abcdefghkn", repeat=3)][: PAGE + 1]
        for name in names:
            self.add(name)
        page = self.get("/api/accounts").json
        self.assertEqual((len(page["accounts"]), page["more"]), (PAGE, True))
        rest = self.get(f"/api/accounts?after={page['accounts'][-1]['name']}").json
        self.assertEqual([line["name"] for line in page["accounts"] + rest["accounts"]], names)

    def test_other_roles_hold_at_once(self) -> None:
        self.add("Ann")
        ann = self.here("Ann")
        roles = ["operator", "moderator:tech", "operator"]
        answer = self.ask("PUT", "/api/accounts/ann", {"roles": roles})
        self.assertEqual(answer.json, self.line("Ann", roles=["moderator:tech", "operator"], connections=1))
        self.assertTrue(ann.protocol.account.operator)

    def test_one_that_is_disabled_is_ended_at_once_and_comes_back_when_it_may(self) -> None:
        self.add("Ann", "moderator")
        ann = self.here("Ann")
        answer = self.ask("PUT", "/api/accounts/Ann", {"disabled": True})
        self.assertTrue(answer.json["disabled"])
        self.assertEqual([error["code"] for error in ann.heard("error")], ["kicked"])
        self.assertEqual(self.here("Ann").protocol.account, None)
        self.ask("PUT", "/api/accounts/Ann", {"disabled": False})
        self.assertEqual(self.here("Ann").protocol.account.roles, {"moderator"})

    def test_what_was_done_is_noted(self) -> None:
        self.add("Ann")
        self.ask("PUT", "/api/accounts/ann", {"disabled": True})
        [entry] = self.successResultOf(self.house.store.audit.page(None, 10))
        self.assertEqual((entry.by, entry.action, entry.target), ("api", "account", "Ann"))

    def test_what_there_is_not(self) -> None:
        self.add("Ann")
        for name in ("Bob", "%D0%90nn"):  # a Cyrillic A
            answer = self.ask("PUT", f"/api/accounts/{name}", {"disabled": True})
            self.assertEqual((answer.status, answer.json["code"]), (404, "no_such_account"))

    def test_a_role_that_there_is_not(self) -> None:
        self.add("Ann")
        answer = self.ask("PUT", "/api/accounts/Ann", {"roles": ["king"]})
        self.assertEqual((answer.status, answer.json["code"], answer.json["field"]), (400, "bad_request", "$.roles[0]"))
