"""What the user has chosen: flag > environment > ``.env`` > ``config.toml`` > default."""

from tui.settings.dotenv_file import write_dotenv
from tui.settings.loading import Loaded, load_settings
from tui.settings.model import NotConfigured, Secret, Settings, SettingsError
from tui.settings.state import remember_theme

__all__ = [
    "Loaded",
    "NotConfigured",
    "Secret",
    "Settings",
    "SettingsError",
    "load_settings",
    "remember_theme",
    "write_dotenv",
]
