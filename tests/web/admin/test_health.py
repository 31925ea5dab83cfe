"""Tests of L{netplay.web.admin.health}."""

from __future__ import annotations

from netplay.core import Phase
from tests.web.admin.asking import AdminCase


class HealthTests(AdminCase):
    """What probes ask."""

    token = None

    def test_alive_whatever_it_is_about(self) -> None:
        for phase in Phase:
            self.core.phase = phase
            answered = self.get("/healthz")
            self.assertEqual((answered.status, answered.body), (200, b"alive\n"))

    def test_ready_only_while_it_runs(self) -> None:
        self.assertEqual(self.get("/readyz").body, b"ready\n")
        for phase in (Phase.STARTING, Phase.DRAINING):
            self.core.phase = phase
            answered = self.get("/readyz")
            self.assert_problem(answered, 503, "shutting_down")
            self.assertIn(phase.name.lower(), answered.json["detail"])
