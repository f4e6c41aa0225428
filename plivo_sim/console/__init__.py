"""The web console: see and steer the simulator in a browser. Invented.

Pages are rendered here and readable without JavaScript; one small script keeps them fresh. A
button makes the very control call that the page shows for copying; see ``deeds``.
"""
