"""Names for made-up people. First and last names are drawn apart, so that nobody in particular is meant."""

_FIRST = """
Ada Adriana Aiko Alan Amara Amir Ana Andrei Anika Antoine Asha Astrid Aurelio Ayşe Beatriz Bence Bo Camille Carlos
Chidi Chiara Clara Daniela Daoud David Dmitri Ebba Elena Elif Emeka Emil Esther Ewa Farah Felix Fiona Freya Gabor
Grace Guido Hana Hanneke Haruto Hiro Ibrahim Ilse Ines Ingrid Ivan Jana Javier Jin Jonas Josef Julia Kai Karin Katya
Kenji Kofi Lars Layla Leila Lena Leo Lin Linnea Lucía Magnus Mai Malik Mara Marco Mateo Maya Mei Mila Milan Nadia
Naoko Nia Nikolai Nils Noor Nora Olga Olu Omar Oskar Pablo Paula Pavel Petra Priya Rafael Ravi Rosa Ruth Samir Sana
Selma Sigrid Sofia Stefan Sven Tariq Thabo Theo Tomás Uma Vera Viktor Wei Yara Yuki Zara Zoltan
"""

_LAST = """
Abara Adeyemi Ahmadi Albrecht Almeida Andersson Aoki Arslan Bakker Banerjee Barros Becker Bellini Berg Bianchi Björk
Bose Brandt Castro Chen Costa Dahl Danso Delgado Diallo Dubois Duran Eklund Eriksen Farkas Ferrari Fischer Fontaine
Fujita Garcia Gruber Gupta Haas Haddad Halvorsen Hansen Hoffmann Horvat Ibarra Ito Iversen Jansen Jensen Kaya Keller
Khan Kim Kobayashi Kowalski Kraus Kumar Lange Laurent Lehmann Lindqvist Lopes Mancini Martin Mbeki Mendes Meyer Moreau
Mori Moreno Nakamura Navarro Nguyen Nielsen Novak Nowak Obi Okafor Olsen Osei Park Patel Pereira Petrov Popescu Quist
Rao Reyes Rinaldi Rossi Roux Sato Schmidt Schulz Silva Singh Sokolov Solberg Strand Suzuki Szabo Takeda Tamm Torres
Traore Vance Varga Vasquez Vogel Wagner Weber Wójcik Wolff Yamada Yilmaz Zhang Zimmermann
"""

FIRST = _FIRST.split()
LAST = _LAST.split()
