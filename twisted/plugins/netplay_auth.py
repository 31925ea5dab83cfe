"""Makes C{--auth store} and C{--auth jwt:...} known to L{twisted.cred.strcred}."""

from netplay.accounts.auth import JWTCheckerFactory, StoreCheckerFactory

store = StoreCheckerFactory()
jwt = JWTCheckerFactory()
